"""Options of the methods that learn to augment together with the trunk."""

from dataclasses import dataclass
from math import pi
from typing import Literal

AtEval = Literal["blend", "sample"]
Regularizer = Literal["selective", "augerino", "none"]


@dataclass(frozen=True)
class AugNetOptions:
    """What the layers contain, and how they are learned."""

    # One tuple of transforms per layer, first layer first. None: the three layers of BY_KIND in
    # methods/augnet.py, which hold all of the task's transforms that pass a gradient.
    layers: tuple[tuple[str, ...], ...] | None = None
    # Lambda. The paper: 0.2 on sinusoids, 0.5 on Mario-Iggy, 10 on sleep (appendix A).
    penalty: float = 0.2
    # What lambda multiplies: the paper's ||w * mu||_2, or the ablation ||mu||_2 (section 4.1).
    regularizer: Regularizer = "selective"
    # Of the softmax over the hidden weights. The official code: 0.01 everywhere.
    temperature: float = 0.01
    # Epochs at the beginning in which only the trunk learns.
    warm_up: int = 0
    # Epochs after the warm-up in which the temperature falls from 1 to `temperature`, by the same
    # factor each. At 0.01 a selection ends before any magnitude has found how far it can go.
    annealing: int = 0
    # What every hidden weight starts at. The softmax does not see a common value, but a weight
    # decay pulls at it. The official code: 1. Under the decay of 1 of Mario-Iggy the start can
    # decide the selection: with 2,000 images and the paper's trunk the rotation wins on 5 of 5
    # folds from 1, and on 3 of 5 from 0.
    initial_weight: float = 1.0
    # What every magnitude starts at; a probability stays 0.01 away from 0 and 1. The official code:
    # 0.1 on sleep, 0 on sinusoids.
    initial_magnitude: float = 0.1
    # Of weights and magnitudes; None: the trunk's, as in the official code. A magnitude grows as
    # far as the current trunk allows, which is less than the data allow until the trunk has
    # learned. A tenth of the trunk's rate gives it the time: on sinusoids 0.48 Hz (standard
    # deviation 0.04 over 10 seeds) instead of 0.44 (0.07).
    learning_rate: float | None = None
    # Of weights and magnitudes; None: the trunk's, as in the official code but on CIFAR10, where
    # there is none.
    weight_decay: float | None = None
    # C in section 3.2: copies of a sample, each augmented by itself, whose logits are averaged. The
    # paper: 1.
    n_copies_train: int = 1
    # The same in validation and test. The paper: 4, and 10 in section 4.3.
    n_copies_test: int = 4
    # What a layer does in validation and test: "blend" averages as in training, "sample" draws one
    # transform per sample from the weights. More in methods/layers/layer.py.
    at_eval: AtEval = "blend"


@dataclass(frozen=True)
class AugerinoOptions:
    """What the layer contains, and how it is learned."""

    # The generators of the maps, each once; a width is learned for each.
    generators: tuple[str, ...] = (
        "translation_x",
        "translation_y",
        "rotation",
        "scale",
        "stretch",
        "shear",
    )
    # Lambda. AugNet's paper: 0.05 on Mario-Iggy, where its script has 0.2, and 0.01 on CIFAR10.
    penalty: float = 0.05
    # Whether the penalty is off while any width is 10 or more, as in the official "safe" loss.
    safe: bool = True
    # What every width starts at; a coefficient is uniform within half a width to either side.
    # Source: AugNet's paper.
    initial_width: float = pi / 4
    # Of the widths; None: the trunk's.
    learning_rate: float | None = 1e-2
    # Of the widths; None: the trunk's. The official code: none.
    weight_decay: float | None = 0.0
    # Copies of a sample, each moved by a map of its own, whose logits are averaged. The paper: 1.
    n_copies_train: int = 1
    # The same in validation and test. The paper: 4.
    n_copies_test: int = 4

"""AugNet: augmentation layers that are part of the network and learned from the training set."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from torch import Tensor

from augbench.datasets.errors import UserError, require, unknown
from augbench.methods.layers.layer import AtEval, AugmentationLayer, magnitude_norm
from augbench.methods.training.behind_layers import behind_layers
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.transforms.transform import Transform

SENSORS = (
    "sign_flip",
    "channel_symmetry",
    "channel_shuffle",
    "channel_dropout",
    "rotation_x",
    "rotation_y",
    "rotation_z",
)
TIME_FREQUENCY = ("time_reverse", "time_mask", "gaussian_noise", "ft_surrogate", "frequency_shift")
GEOMETRIC = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")
NON_GEOMETRIC = ("contrast", "brightness", "sample_pairing")
# Source: AugNet, sections 5.1 and 5.2; table 4 for what belongs to the sensors.
BY_KIND = {
    "eeg": (SENSORS, TIME_FREQUENCY, TIME_FREQUENCY),
    "image": (NON_GEOMETRIC, GEOMETRIC, GEOMETRIC),
}


@dataclass(frozen=True)
class AugNetOptions:
    """What the layers hold, and how they are learned."""

    # One tuple of transforms per layer, first layer first. None: BY_KIND in methods/augnet.py, as
    # far as the task's transforms go.
    layers: tuple[tuple[str, ...], ...] | None = None
    # Lambda. The paper: 0.2 on sinusoids, 0.5 on Mario-Iggy, 10 on sleep (appendix A).
    penalty: float = 0.2
    # What lambda multiplies: the paper's ||w * mu||_2, or the ablation ||mu||_2 (section 4.1).
    regularizer: Literal["selective", "augerino", "none"] = "selective"
    # Of the softmax over the hidden weights. The official code: 0.01 everywhere.
    temperature: float = 0.01
    # Epochs in which the trunk alone learns, behind layers as they start.
    warm_up: int = 0
    # Epochs over which the temperature then falls from 1 to `temperature`, each by the same factor.
    # At 0.01 a selection is over before any magnitude has found how far it can go.
    annealing: int = 0
    # Of every magnitude; a probability keeps 0.01 from 0 and 1. The official code: 0.1 on sleep, 0
    # on sinusoids.
    initial_magnitude: float = 0.1
    # Of weights and magnitudes; None: the trunk's, as in the official code. A magnitude goes as far
    # as the trunk of the moment allows, which is less than the data do until the trunk has learned.
    # A tenth of its rate gives it the time: on sinusoids 0.48 Hz (standard deviation 0.04 over 10
    # seeds) in place of 0.44 (0.07).
    learning_rate: float | None = None
    # Of weights and magnitudes; None: the trunk's, as in the official code but on CIFAR10, where
    # there is none.
    weight_decay: float | None = None
    # C in section 3.2: of a sample, each augmented on its own, whose logits are averaged. The
    # paper: 1.
    n_copies_train: int = 1
    # The same in validation and test. The paper: 4, and 10 in section 4.3.
    n_copies_test: int = 4
    # What a layer does in validation and test: "blend" is the average of training, "sample" draws
    # one transform per sample from the weights. More in methods/layers/layer.py.
    at_eval: AtEval = "blend"


def build(setup: Setup, options: AugNetOptions) -> EndToEnd:
    """The trunk behind augmentation layers, all trained together on the training view.

    Raises a UserError for transforms that cannot be in a layer, and for numbers out of range.
    Source: AugNet, equations 2 and 3, section 3.4.
    """
    _check_numbers(options)
    layers = [
        AugmentationLayer(
            [setup.bank[name] for name in names],
            initial_magnitude=options.initial_magnitude,
            temperature=options.temperature,
            at_eval=options.at_eval,
        )
        for names in _layers(setup, options)
    ]

    def penalty() -> Tensor:
        assert options.regularizer != "none"
        return -options.penalty * magnitude_norm(layers, options.regularizer)

    def project() -> None:
        for layer in layers:
            layer.project()

    return behind_layers(
        setup,
        layers,
        options,
        penalty=None if options.regularizer == "none" else penalty,
        describe=lambda: [_describe(layer) for layer in layers],
        before_epoch=lambda epoch: _schedule(layers, options, epoch),
        after_step=project,
    )


def _schedule(layers: Iterable[AugmentationLayer], options: AugNetOptions, epoch: int) -> None:
    """Set what of the layers follows from the number of the epoch, 1 being the first."""
    learning = epoch > options.warm_up
    passed = min(max(epoch - 1 - options.warm_up, 0), options.annealing)
    share = passed / options.annealing if options.annealing else 1.0
    for layer in layers:
        layer.temperature.fill_(options.temperature**share)
        layer.requires_grad_(learning)
        layer.project()


def _layers(setup: Setup, options: AugNetOptions) -> tuple[tuple[str, ...], ...]:
    if options.layers is None:
        usable = {name for name, row in setup.bank.items() if row.gradient != "none"}
        default = BY_KIND[setup.signal.kind]
        present = [tuple(name for name in names if name in usable) for names in default]
        layers = tuple(names for names in present if names)
        if not layers:
            raise UserError(
                "the task has none of the transforms that AugNet's layers hold by default; "
                f"name some in `layers`; the task's: {', '.join(setup.bank) or 'none'}"
            )
        return layers
    if not options.layers or not all(options.layers):
        raise UserError("AugNet needs at least one layer, and a transform in each; see `layers`")
    for name in (name for names in options.layers for name in names):
        _check_transform(name, setup.bank)
    return options.layers


def _check_transform(name: str, bank: Mapping[str, Transform]) -> None:
    if name not in bank:
        raise unknown("transform", name, bank)
    if bank[name].gradient == "none":
        usable = [each for each, row in bank.items() if row.gradient != "none"]
        raise UserError(
            f"transform {name!r} passes no gradient to its magnitude, so AugNet cannot learn it; "
            f"take it out of `layers`; usable here: {', '.join(usable) or 'none'}"
        )


def _check_numbers(options: AugNetOptions) -> None:
    require(options, "penalty", 0 <= options.penalty < inf, "0 or more")
    require(options, "temperature", options.temperature > 0, "more than 0")
    require(options, "warm_up", options.warm_up >= 0, "0 or more")
    require(options, "annealing", options.annealing >= 0, "0 or more")
    require(options, "initial_magnitude", 0 <= options.initial_magnitude <= 1, "in [0, 1]")


def _describe(layer: AugmentationLayer) -> list[dict[str, Any]]:
    """What is learned of each operation; the value is the magnitude in its unit."""
    weights = layer.weights.tolist()
    magnitudes = layer.magnitudes.tolist()
    return [
        {
            "transform": transform.name,
            "weight": weight,
            "magnitude": magnitude,
            "value": magnitude * transform.strongest,
            "unit": transform.unit,
        }
        for transform, weight, magnitude in zip(layer.transforms, weights, magnitudes, strict=True)
    ]

"""Augerino: a distribution over affine maps, learned with the trunk from the training set."""

from dataclasses import dataclass
from math import inf, pi
from typing import Any

import torch
from torch import Tensor

from augbench.datasets.errors import require, unknown
from augbench.methods.layers.lie_layer import GENERATORS, LieLayer
from augbench.methods.training.behind_layers import behind_layers
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import DoesNotFitError, Setup

SAFE_WIDTH = 10.0


@dataclass(frozen=True)
class AugerinoOptions:
    """What the layer holds, and how it is learned."""

    # Of the maps, each once; a width is learned for each.
    generators: tuple[str, ...] = tuple(GENERATORS)
    # Lambda. AugNet's paper: 0.05 on Mario-Iggy, where its script has 0.2, and 0.01 on CIFAR10.
    penalty: float = 0.05
    # Whether the pull ends while any width has reached 10, as the official "safe" loss does.
    safe: bool = True
    # Of every generator; coefficients are uniform in half of it to either side. AugNet's paper.
    initial_width: float = pi / 4
    # Of the widths; None: the trunk's.
    learning_rate: float | None = 1e-2
    # Of the widths; None: the trunk's. The official code: none.
    weight_decay: float | None = 0.0
    # Of a sample, each moved by a map of its own, whose logits are averaged. The paper: 1.
    n_copies_train: int = 1
    # The same in validation and test. The paper: 4.
    n_copies_test: int = 4


def build(setup: Setup, options: AugerinoOptions) -> EndToEnd:
    """The trunk behind a Lie-algebra layer, both trained together on the training view.

    Raises a DoesNotFitError for EEG, a UserError for an unknown generator and numbers out of range.
    Source: Benton et al. 2020 (Augerino), equation 5, with the norm as their code has it: over full
    widths and not squared.
    """
    _check(options)
    if setup.signal.kind != "image":
        raise DoesNotFitError(
            "augerino moves the pixels of images, and the task is EEG; augnet learns transforms of "
            "EEG"
        )
    layer = LieLayer(options.generators, initial_width=options.initial_width)
    return behind_layers(
        setup,
        [layer],
        options,
        penalty=lambda: penalty(layer.widths, options),
        describe=lambda: [describe(layer)],
    )


def penalty(widths: Tensor, options: AugerinoOptions) -> Tensor:
    """Minus lambda times the norm of the widths (G,), and 0 where the safe switch is off."""
    pull: Tensor = -options.penalty * torch.linalg.vector_norm(widths)
    return pull * (widths < SAFE_WIDTH).all() if options.safe else pull


def describe(layer: LieLayer) -> list[dict[str, Any]]:
    """What is learned of each generator: its width, and the half range in its unit."""
    return [
        {
            "transform": name,
            "weight": 1.0,
            "magnitude": width,
            "value": width / 2 * GENERATORS[name][1],
            "unit": GENERATORS[name][2],
        }
        for name, width in zip(layer.names, layer.widths.tolist(), strict=True)
    ]


def _check(options: AugerinoOptions) -> None:
    for name in options.generators:
        if name not in GENERATORS:
            raise unknown("generator", name, GENERATORS)
    n_different = len(set(options.generators))
    require(options, "generators", 0 < n_different == len(options.generators), "some, each once")
    require(options, "penalty", 0 <= options.penalty < inf, "0 or more")
    require(options, "initial_width", 0 < options.initial_width < 50, "above 0 and below 50")

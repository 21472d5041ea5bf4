"""Augerino: a distribution over affine maps, learned with the trunk from the training set."""

from functools import partial
from math import inf
from typing import Any

import torch
from torch import Tensor

from augbench.datasets.errors import require, unknown
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.layers.lie_layer import GENERATORS, LieLayer
from augbench.methods.options.end_to_end import AugerinoOptions
from augbench.methods.training.behind_layers import behind_layers
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import DoesNotFitError, Setup

SAFE_WIDTH = 10.0


def build(setup: Setup, options: AugerinoOptions) -> EndToEnd:
    """The trunk behind a Lie-algebra layer, both trained together on the training view.

    Raises a DoesNotFitError for EEG, a UserError for an unknown generator and numbers out of range.
    Source: Benton et al. 2020 (Augerino), equation 5, with the norm of their code: over full widths
    and not squared.
    """
    _check(options)
    if setup.signal.kind != "image":
        raise DoesNotFitError(
            "augerino moves the pixels of images, and the task is EEG; augnet learns transforms of "
            "EEG"
        )
    layer = LieLayer(options.generators, initial_width=options.initial_width)
    model = AveragedModel(
        [layer],
        setup.trunk(),
        n_copies_train=options.n_copies_train,
        n_copies_test=options.n_copies_test,
    )
    return behind_layers(
        setup,
        model,
        options,
        penalty=partial(_penalty_of, layer, options),
        describe=partial(_describe_all, [layer]),
    )


def _penalty_of(layer: LieLayer, options: AugerinoOptions) -> Tensor:
    return penalty(layer.widths, options)


def _describe_all(layers: list[LieLayer]) -> list[list[dict[str, Any]]]:
    return [describe(layer) for layer in layers]


def penalty(widths: Tensor, options: AugerinoOptions) -> Tensor:
    """Minus lambda times the norm of the widths (G,); 0 while a width is too large, if `safe`."""
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
    require(
        options, "generators", 0 < n_different == len(options.generators), "some, and each once"
    )
    require(options, "penalty", 0 <= options.penalty < inf, "0 or more")
    require(options, "initial_width", 0 < options.initial_width < 50, "above 0 and below 50")

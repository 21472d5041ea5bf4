"""AugNet's regularizer: how much the layers augment."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor

from augbench.methods.layers.layer import AugmentationLayer

NEARLY_ZERO = 1e-8


def magnitude_norm(
    layers: Iterable[AugmentationLayer], regularizer: Literal["selective", "augerino"] = "selective"
) -> Tensor:
    """How much the layers augment, (): one norm, not squared, over the operations of all layers.

    "selective" is ||w * mu||_2, which also wants one large weight per layer; "augerino", the
    ablation, is ||mu||_2. The loss is the cross-entropy minus lambda times it.

    Source: AugNet, section 3.4.
    """
    layers = list(layers)
    for layer in layers:
        layer.project_if_changed()
    # At 0 the norm has no gradient and torch returns 0. The cross-entropy's noise alone would then
    # decide official runs, which start at 0. At NEARLY_ZERO it has the limit along equal
    # magnitudes, w_q^2 / ||w||; for magnitudes above 1e-6 the addition changes nothing.
    products = torch.cat([layer.magnitudes for layer in layers]) + NEARLY_ZERO
    if regularizer == "selective":
        products = products * torch.cat([layer.weights for layer in layers])
    norm: Tensor = torch.linalg.vector_norm(products)
    return norm

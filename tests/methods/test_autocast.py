"""Beside a trunk in bfloat16, data are augmented in their own type, to the last bit."""

from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor

from augbench.datasets.task import Signal
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.layers.lie_layer import GENERATORS, LieLayer
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank

Augment = Callable[[Tensor, Generator], Tensor]
WAVES = Signal("eeg", (6, 300), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)
PICTURES = Signal("image", (3, 32, 32))


def layer(signal: Signal) -> Augment:
    """Two layers of all transforms, one after the other."""
    names = EEG if signal.kind == "eeg" else IMAGE
    rows = [row for name, row in make_bank(names, signal).items() if name != "crop"]
    first, second = (AugmentationLayer(rows, initial_magnitude=0.5) for _ in range(2))
    return lambda x, generator: second(first(x, generator), generator)


def policy(signal: Signal) -> Augment:
    names = [name for name, row in make_bank(EEG, WAVES).items() if row.graded]
    names = names if signal.kind == "eeg" else ["rotate", "shear_x", "hue"]
    each = tuple(Subpolicy((Operation(name, 1.0, 0.7),)) for name in names)
    module = Policy(each).as_module(signal)
    return lambda x, generator: module(x, generator=generator)


def augerino(signal: Signal) -> Augment:
    return LieLayer(tuple(GENERATORS), initial_width=0.3)


@pytest.mark.parametrize(
    ("make", "signal"),
    [(layer, WAVES), (layer, PICTURES), (policy, WAVES), (policy, PICTURES), (augerino, PICTURES)],
)
def test_autocast_rounds_nothing(make: Callable[[Signal], Augment], signal: Signal) -> None:
    augment = make(signal)
    draw = torch.rand if signal.kind == "image" else torch.randn
    x = draw(16, *signal.shape, generator=torch.Generator().manual_seed(0))
    plain = augment(x, torch.Generator().manual_seed(1))
    with torch.autocast("cpu", torch.bfloat16):
        beside = augment(x, torch.Generator().manual_seed(1))
    assert beside.dtype == x.dtype
    assert torch.equal(beside, plain)

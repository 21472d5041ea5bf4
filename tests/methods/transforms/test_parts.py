"""A sum of parts is the sum of what its transforms do one by one, and so are its derivatives."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.parts import Parts, SumOfParts, parts_of, weighted_sum
from augbench.methods.transforms.transform import Transform, per_sample

CAP = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "F7", "F8", "T7", "T8")
MORE = ("P7", "P8", "Fz", "Cz", "Pz")
SIGNALS = {
    "eeg": Signal("eeg", (6, 300), CAP[:6], 100.0),
    "many channels": Signal("eeg", (19, 300), CAP + MORE, 100.0),
    "image": Signal("image", (3, 12, 16)),
}


def bank_of(kind: str) -> dict[str, Transform]:
    names = IMAGE if kind == "image" else EEG
    return make_bank([name for name in names if name != "crop"], SIGNALS[kind])


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("derivative", [1, 2])
def test_a_sum_of_all_is_the_sum_of_each(kind: str, derivative: int) -> None:
    bank, generator = bank_of(kind), torch.Generator().manual_seed(0)
    x = torch.rand(4, *SIGNALS[kind].shape, generator=generator, dtype=torch.float64)
    x.requires_grad_()
    shares = torch.rand(len(bank), 4, generator=generator, dtype=torch.float64)
    magnitudes = torch.rand(len(bank), 4, generator=generator, dtype=torch.float64)
    shares.requires_grad_(), magnitudes.requires_grad_()
    noises = [row.draw(x, generator) for row in bank.values()]
    together = weighted_sum(
        x,
        [
            (share, parts_of(row, x, magnitude, noise))
            for share, row, magnitude, noise in zip(
                shares, bank.values(), magnitudes, noises, strict=True
            )
        ],
    )
    apart = sum(
        per_sample(share, x) * row.apply(x, magnitude, noise)
        for share, row, magnitude, noise in zip(
            shares, bank.values(), magnitudes, noises, strict=True
        )
    )
    assert isinstance(apart, Tensor)
    torch.testing.assert_close(together, apart)
    g = torch.rand(x.shape, generator=generator, dtype=torch.float64)
    leaves = (x, shares, magnitudes)
    ours, theirs = (
        torch.autograd.grad((g * out).pow(derivative).sum(), leaves, create_graph=True)
        for out in (together, apart)
    )
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their)
    if derivative == 2:
        ours, theirs = (
            torch.autograd.grad(sum(each.square().sum() for each in slopes), (x, shares))
            for slopes in (ours[:2], theirs[:2])
        )
        for our, their in zip(ours, theirs, strict=True):
            torch.testing.assert_close(our, their)


def test_a_transform_whose_apply_is_replaced_does_what_the_new_one_does() -> None:
    signal = SIGNALS["eeg"]
    transform = make_bank(["time_mask"], signal)["time_mask"]
    assert isinstance(transform.apply, SumOfParts)
    other = replace(transform, apply=lambda x, magnitude, noise: x + 1)
    x, one = torch.rand(2, *signal.shape), torch.ones(2)
    parts = parts_of(other, x, one, other.draw(x, None))
    torch.testing.assert_close(weighted_sum(x, [(one, parts)]), x + 1)


def test_gains_of_all_shapes_add_up() -> None:
    x = torch.rand(2, 3, 4)
    gains = [
        2.0,
        torch.rand(2, 1, 1),
        torch.rand(2, 3, 1),
        torch.rand(2, 1, 4),
        torch.rand(2, 3, 4),
    ]
    out = weighted_sum(x, [(1.0, Parts(gain=gain)) for gain in gains])
    torch.testing.assert_close(out, x * sum(gains))
    torch.testing.assert_close(weighted_sum(x, [(1.0, Parts(gain=2.0))] * 2), 4 * x)


def test_a_sum_that_is_x_itself_is_a_copy() -> None:
    x = torch.rand(2, 3, 4)
    out = weighted_sum(x, [(1.0, Parts(gain=1.0))])
    assert torch.equal(out, x)
    out.fill_(7.0)
    assert float(x.max()) < 1

"""A sum of parts is the sum of what its transforms do one by one, and so are its derivatives."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.parts import Parts, SumOfParts, parts_of, scale_of, weighted_sum
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
            parts_of(row, x, per_sample(share, x), scale_of(row) * magnitude, noise)
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
    parts = parts_of(other, x, 1.0, one, other.draw(x, None))
    torch.testing.assert_close(weighted_sum(x, [parts]), x + 1)


def test_gains_of_all_shapes_add_up() -> None:
    x = torch.rand(2, 3, 4)
    gains = [
        2.0,
        torch.rand(2, 1, 1),
        torch.rand(2, 3, 1),
        torch.rand(2, 1, 4),
        torch.rand(2, 3, 4),
    ]
    out = weighted_sum(x, [Parts(gains=(gain,)) for gain in gains])
    torch.testing.assert_close(out, x * sum(gains))
    torch.testing.assert_close(weighted_sum(x, [Parts(gains=(2.0,))] * 2), 4 * x)


def test_a_sum_that_is_x_itself_is_a_copy() -> None:
    x = torch.rand(2, 3, 4)
    out = weighted_sum(x, [Parts(gains=(1.0,))])
    assert torch.equal(out, x)
    out.fill_(7.0)
    assert float(x.max()) < 1


def test_torch_func_vectorizes_a_sum_whose_first_product_does_not_vary() -> None:
    x, factors = torch.rand(2, 3, 4), torch.rand(5, 2, 1, 1)

    def out(factor: Tensor) -> Tensor:
        return weighted_sum(x, [Parts(gains=(2.0,), addends=((factor, x.flip(-1)),))])

    torch.testing.assert_close(torch.func.vmap(out)(factors), 2 * x + factors * x.flip(-1))


@pytest.mark.parametrize("kind", ["eeg", "many channels"])
def test_torch_func_vectorizes_a_sum_over_whatever_varies(kind: str) -> None:
    bank, generator = bank_of(kind), torch.Generator().manual_seed(0)
    xs = torch.randn(2, 3, *SIGNALS[kind].shape, generator=generator, dtype=torch.float64)
    magnitudes = torch.rand(2, 3, generator=generator, dtype=torch.float64)
    noises = [row.draw(xs[0], generator) for row in bank.values()]

    def loss(x: Tensor, magnitude: Tensor) -> Tensor:
        terms = [
            parts_of(row, x, 0.1, scale_of(row) * magnitude, noise)
            for row, noise in zip(bank.values(), noises, strict=True)
        ]
        return weighted_sum(x, terms).square().sum()

    slopes = torch.func.grad(loss, (0, 1))
    for over in ((0, 0), (0, None), (None, 0)):
        given = [
            each if dim == 0 else each[0] for each, dim in zip((xs, magnitudes), over, strict=True)
        ]
        vectorized = torch.func.vmap(slopes, over)(*given)
        for k in range(2):
            alone = [
                each[k] if dim == 0 else each[0]
                for each, dim in zip((xs, magnitudes), over, strict=True)
            ]
            for ours, theirs in zip(vectorized, slopes(*alone), strict=True):
                torch.testing.assert_close(ours[k], theirs)

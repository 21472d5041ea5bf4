import math

import torch
from torch import Tensor

from augbench.methods.transforms.trigonometric import (
    N_HARMONICS,
    Turn,
    cos_and_sin,
    cos_and_sin_of_shift,
    sum_of_turns,
)

K = torch.arange(1, N_HARMONICS + 1, dtype=torch.float64)


def numbers(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_cosine_and_sine_can_be_differentiated_twice() -> None:
    largest, shares = numbers(3, 1, 1).requires_grad_(), numbers(3, 2, 5, seed=1)
    angle = largest * shares
    expected = torch.stack([angle.cos(), angle.sin()])
    torch.testing.assert_close(cos_and_sin(largest, shares), expected)
    assert torch.autograd.gradcheck(cos_and_sin, (largest, shares))
    assert torch.autograd.gradgradcheck(cos_and_sin, (largest, shares))


def test_at_angle_0_they_are_exact() -> None:
    for n in (1, 33):  # alone, and in a vector of the processor
        zeros = torch.zeros(n)
        assert cos_and_sin(zeros, zeros).tolist() == [[1.0] * n, [0.0] * n]


def test_those_of_a_shift_are_right_in_long_windows_too() -> None:
    seconds = torch.arange(100_000, dtype=torch.float64) / 128
    radians = 2 * math.pi * seconds
    hertz = numbers(3, 1, 1).float()
    waves = cos_and_sin_of_shift(hertz, seconds, radians.float())
    assert waves.dtype == torch.float32
    exact = cos_and_sin(hertz.double(), radians.view(1, 1, -1))
    torch.testing.assert_close(waves.double(), exact, rtol=0, atol=1e-6)
    few = numbers(3, 1, 1).requires_grad_(), seconds[:9], radians[:9]
    assert torch.autograd.gradcheck(cos_and_sin_of_shift, few)
    assert torch.autograd.gradgradcheck(cos_and_sin_of_shift, few)


def by_hand(turn: Turn) -> Tensor:
    half = K * torch.deg2rad(turn.largest * turn.noise).unsqueeze(1) / 2
    basis = torch.stack([half.sin().square(), half.sin() * half.cos()], dim=1)
    matrix: Tensor = turn.share * torch.einsum("bjk,jkcd->bcd", basis, turn.table)
    return matrix


def test_a_sum_of_turns_and_its_derivatives_are_those_of_each_by_hand() -> None:
    tables = numbers(2, 2, N_HARMONICS, 2, 2, seed=1) / K.square().view(-1, 1, 1)
    degrees, noise = (20 * numbers(3, 2)).requires_grad_(), numbers(3, 2, seed=3)
    shares = numbers(3, seed=2).requires_grad_()

    def turns(degrees: Tensor, shares: Tensor) -> list[Turn]:
        first = Turn(shares.view(-1, 1, 1), degrees[:, 0], noise[:, 0], tables[0])
        return [first, Turn(1.0, degrees[:, 1], noise[:, 1], tables[1])]

    def matrix(degrees: Tensor, shares: Tensor) -> Tensor:
        return sum_of_turns(turns(degrees, shares))

    expected = sum(by_hand(turn) for turn in turns(degrees, shares))
    torch.testing.assert_close(matrix(degrees, shares), expected)
    assert torch.autograd.gradcheck(matrix, (degrees, shares))
    assert torch.autograd.gradgradcheck(matrix, (degrees, shares))


def test_torch_func_vectorizes_them() -> None:
    angle, seconds = numbers(2, 3, 1, 1), torch.arange(5, dtype=torch.float64)
    table = numbers(2, N_HARMONICS, 2, 2)

    def all_of_them(angle: Tensor) -> Tensor:
        turned = sum_of_turns([Turn(1.0, angle.flatten(), torch.ones(3), table)])
        waves = cos_and_sin_of_shift(angle, seconds, 2 * math.pi * seconds)
        return (
            turned.sum()
            + (waves * cos_and_sin(angle, seconds.view(1, 1, -1))).cumsum(-1).square().sum()
        )

    by_angle = torch.func.vmap(torch.func.grad(all_of_them))(angle)
    for each, slopes in zip(angle, by_angle, strict=True):
        each = each.clone().requires_grad_()
        torch.testing.assert_close(slopes, torch.autograd.grad(all_of_them(each), each)[0])

"""Cosines and sines of angles, and matrices of channels that are sums of them."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from augbench.datasets.forward_mode import apply_function
from augbench.methods.transforms.constants import DeviceConstant

N_HARMONICS = 50

# The sine of the first, rounded, is exactly 1.
_PHASES = DeviceConstant(torch.tensor([math.pi / 2, 0.0], dtype=torch.float64))
_PHASES_OF_SIN_AND_COS = DeviceConstant(torch.tensor([[0.0], [math.pi / 2]], dtype=torch.float64))
# Half of k degrees, in radians.
_FREQUENCIES = DeviceConstant(
    torch.arange(1, N_HARMONICS + 1, dtype=torch.float64) * (math.pi / 360)
)


def cos_and_sin(largest: Tensor, noise: Tensor) -> Tensor:
    """(B, 1, ...), (B, ...) -> (2, B, ...), the cosines and the sines of largest * noise.

    The noise gets no gradient.
    """
    phases = _PHASES(noise).view(2, *[1] * noise.ndim)
    result: Tensor = apply_function(_CosAndSin, largest, noise, phases)
    return result


class _CosAndSin(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(largest: Tensor, noise: Tensor, phases: Tensor) -> Tensor:
        return torch.addcmul(phases, largest, noise).sin_()

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: Any, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[:2], output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        largest, noise, output = ctx.saved_tensors
        return (_by_angle(slope, output) * noise).sum_to_size(largest.shape), None, None


def _by_angle(slope: Tensor, output: Tensor) -> Tensor:
    """What a slope by cosines and sines, (2, ...), is by the angles."""
    (by_cos, by_sin), (cos, sin) = slope.unbind(0), output.unbind(0)
    return torch.addcmul(by_sin * cos, by_cos, sin, value=-1)


def cos_and_sin_of_shift(hertz: Tensor, seconds: Tensor, radians: Tensor) -> Tensor:
    """(B, 1, 1), (T,), (T,) -> (2, B, 1, T), those of 2 pi * hertz * seconds.

    ``seconds`` are in float64, in which whole turns are removed: in float32 a window of 60 s would
    be off by 1e-4. ``radians`` are 2 pi times as much, in the dtype of ``hertz``.
    """
    phases = _PHASES(hertz).view(2, 1, 1, 1)
    result: Tensor = apply_function(_CosAndSinOfShift, hertz, seconds, radians, phases)
    return result


class _CosAndSinOfShift(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(hertz: Tensor, seconds: Tensor, radians: Tensor, phases: Tensor) -> Tensor:
        turns = (hertz * seconds).frac().to(hertz.dtype)
        return torch.add(phases, turns, alpha=2 * math.pi).sin_()

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[2], output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None, None]:
        radians, output = ctx.saved_tensors
        return (_by_angle(slope, output) @ radians).unsqueeze(-1), None, None, None


class Turn(NamedTuple):
    """A share of a matrix of channels that is a trigonometric polynomial of an angle.

    The matrix is the sum over k from 1 to N_HARMONICS of table[0, k] * sin(k angle / 2)^2 +
    table[1, k] * sin(k angle / 2) * cos(k angle / 2), exactly 0 at angle 0. The angle is largest *
    noise.
    """

    share: Tensor | float  # (B, 1, 1) or a number
    largest: Tensor  # (B,), in degrees
    noise: Tensor  # (B,), in [-1, 1)
    table: Tensor  # (2, K, C, C)


def sum_of_turns(turns: list[Turn]) -> Tensor:
    """(B, C, C), the sum of all."""
    largest = torch.stack([turn.largest for turn in turns], dim=1)
    degrees = largest * torch.stack([turn.noise for turn in turns], dim=1)  # (B, R)
    shares = torch.stack([_share_of(turn) for turn in turns], dim=1)
    table = torch.stack([turn.table for turn in turns])  # (R, 2, K, C, C)
    phases = _PHASES_OF_SIN_AND_COS(degrees)
    basis = apply_function(_Harmonics, degrees, _FREQUENCIES(degrees), phases)
    basis = basis * shares[..., None, None]  # (B, R, 2, K)
    matrices: Tensor = basis.flatten(1) @ table.flatten(0, 2).flatten(1)
    return matrices.view(-1, *table.shape[3:])


def _share_of(turn: Turn) -> Tensor:
    """(B,)."""
    if isinstance(turn.share, Tensor):
        return turn.share.flatten()
    return torch.full_like(turn.largest, turn.share)


class _Harmonics(Function):
    """(B, R), (K,) -> (B, R, 2, K): sin^2 and sin * cos of each angle times each frequency."""

    generate_vmap_rule = True

    @staticmethod
    def forward(angle: Tensor, frequencies: Tensor, phases: Tensor) -> Tensor:
        both = torch.addcmul(phases, angle[..., None, None], frequencies).sin_()  # sin and cos
        return both * both[..., :1, :]

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1], output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        frequencies, output = ctx.saved_tensors
        (by_square, by_product), (square, product) = slope.unbind(-2), output.unbind(-2)
        turned = torch.addcmul(by_square * product, by_product, square, value=-1)
        return torch.add(by_product, turned, alpha=2) @ frequencies, None, None

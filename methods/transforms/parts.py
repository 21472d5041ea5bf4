"""Transforms as sums, which a layer adds up term by term before it touches the signal."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from augbench.datasets.forward_mode import is_in_forward_mode
from augbench.methods.transforms.spectrum import filtered
from augbench.methods.transforms.transform import Transform, per_sample
from augbench.methods.transforms.warp import warped_average

Factor = Tensor | float


class Parts(NamedTuple):
    """A transformed x as a sum of what is left out or given here.

    It is gain * x + channels @ x + (x filtered by spectrum) + the sum of coefficient * tensor over
    ``addends`` + (x moved by affine). Several transforms of one x can add their gains, matrices of
    channels and spectra, which are small, and touch x once for all.
    """

    gain: Factor | None = None  # (B, 1 or C, ...), to be multiplied by x
    channels: Tensor | None = None  # (B, C, C)
    spectrum: Tensor | None = None  # (B, 1 or C, F), real or complex
    addends: tuple[tuple[Factor, Tensor], ...] = ()  # (B, 1 or C, ...) and (B, C, ...)
    affine: Tensor | None = None  # (B, 2, 3), as in `Transform`


@dataclass(frozen=True)
class SumOfParts:
    """The ``apply`` of a transform that is a sum: ``parts(x, magnitude, noise) -> Parts``."""

    parts: Callable[[Tensor, Tensor, Tensor], Parts]

    def __call__(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        if not len(x):  # of which there is no Fourier transform
            return x.clone()
        return weighted_sum(x, [(1.0, self.parts(x, magnitude, noise))])


def parts_of(transform: Transform, x: Tensor, magnitude: Tensor, noise: Tensor) -> Parts:
    """What a transform makes of x, in parts; in a single one, if that is all it can."""
    if isinstance(transform.apply, SumOfParts):
        return transform.apply.parts(x, magnitude, noise)
    if transform.affine is not None:
        return Parts(affine=transform.affine(x, magnitude, noise))
    return Parts(addends=((1.0, transform.apply(x, magnitude, noise)),))


def weighted_sum(x: Tensor, terms: Iterable[tuple[Factor, Parts]]) -> Tensor:
    """The sum of share * parts: a share is 1, or (B,) for a batch x (B, ...)."""
    gains: list[Factor] = []
    channels: list[Tensor] = []
    spectra: list[Tensor] = []
    products: list[tuple[Factor, Tensor]] = []
    moves: list[tuple[Tensor, Tensor]] = []
    for share, parts in terms:
        factor = per_sample(share, x) if isinstance(share, Tensor) else share
        if parts.gain is not None:
            gains.append(_times(factor, parts.gain))
        if parts.channels is not None:
            channels.append(_times(factor, parts.channels))
        if parts.spectrum is not None:
            spectra.append(_times(factor, parts.spectrum))
        products += [(_times(factor, each), tensor) for each, tensor in parts.addends]
        if parts.affine is not None:
            each = share if isinstance(share, Tensor) else x.new_full((len(x),), share)
            moves.append((each, parts.affine))
    products = [(gain, x) for gain in _by_shape(gains)] + products
    sums = [_sum_of_products(products)] if products else []
    if channels:
        mixing = reduce(add, channels)
        sums = [torch.baddbmm(sums[0], mixing, x) if sums else mixing @ x]
    if spectra:
        sums.append(filtered(x, reduce(add, spectra)))
    if moves:
        shares, affines = (torch.stack(each, dim=1) for each in zip(*moves, strict=True))
        sums.append(warped_average(x, affines, shares))
    return reduce(add, sums)


def _times(factor: Factor, part: Any) -> Any:
    """The product, without a multiplication by 1."""
    if isinstance(factor, float) and factor == 1.0:
        return part
    return factor if isinstance(part, float) and part == 1.0 else factor * part


def _by_shape(gains: Iterable[Factor]) -> list[Factor]:
    """The sums of the gains of each shape; what is one number a sample goes with the first."""
    found: dict[tuple[int, ...], Factor] = {}
    single: list[Factor] = []
    for gain in gains:
        if isinstance(gain, float) or gain.shape[1:].numel() == 1:
            single.append(gain)
        else:
            shape = tuple(gain.shape[1:])
            found[shape] = found[shape] + gain if shape in found else gain
    if single:
        alone = reduce(add, single)
        shape = next(iter(found), ())
        found[shape] = found[shape] + alone if shape in found else alone
    return list(found.values())


def _sum_of_products(pairs: list[tuple[Factor, Tensor]]) -> Tensor:
    """The sum of factor * tensor: (B, 1 or C, ...) or a number, times (B, C, ...)."""
    if len(pairs) == 1:
        return pairs[0][0] * pairs[0][1]
    arguments: list[Tensor] = []
    for factor, tensor in pairs:
        if isinstance(factor, float):
            factor = tensor.new_full((1,) * tensor.ndim, factor)
        arguments += [factor, tensor]
    if is_in_forward_mode():
        return _SumOfProducts.forward(*arguments)
    total: Tensor = _SumOfProducts.apply(*arguments)  # type: ignore[no-untyped-call]
    return total


class _SumOfProducts(Function):
    """As a chain of addcmul, whose backward takes three passes over each tensor; this takes two."""

    generate_vmap_rule = True

    @staticmethod
    def forward(*arguments: Tensor) -> Tensor:
        total = arguments[0] * arguments[1]
        for factor, tensor in zip(arguments[2::2], arguments[3::2], strict=True):
            total = torch.addcmul(total, factor, tensor)
        return total

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad
        slopes: list[Tensor | None] = []
        for factor, tensor, for_factor, for_tensor in zip(
            saved[::2], saved[1::2], needed[::2], needed[1::2], strict=True
        ):
            slopes.append((slope * tensor).sum_to_size(factor.shape) if for_factor else None)
            slopes.append(slope * factor if for_tensor else None)
        return tuple(slopes)

"""Transforms as sums, which a layer adds up term by term before it touches the signal."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function

from augbench.datasets.forward_mode import is_in_forward_mode
from augbench.methods.transforms.constants import IDENTITY
from augbench.methods.transforms.spectrum import filtered
from augbench.methods.transforms.transform import Transform
from augbench.methods.transforms.trigonometric import Turn, sum_of_turns
from augbench.methods.transforms.warp import warped_average

Factor = Tensor | float  # (B, 1, ...) or a number


class Parts(NamedTuple):
    """A share of a transformed x as a sum of what is given here.

    It is the sum of gain * x over ``gains`` + channels @ x + the sum of turn @ x over ``turns``
    + (x filtered by spectrum + response) + the sum of coefficient * tensor over ``addends`` + the
    sum of coefficient * (x moved by affine) over ``moves``. Several transforms of one x can
    add their gains, matrices of channels and spectra, which are small, and touch x once for all.
    """

    gains: tuple[Factor, ...] = ()  # (B, 1 or C, ...)
    channels: Tensor | None = None  # (B, C, C)
    turns: tuple[Turn, ...] = ()  # matrices of channels that depend on an angle
    spectrum: Tensor | None = None  # (B, 1 or C, F), real
    response: Tensor | None = None  # (2, B, 1 or C, F), real and imaginary parts
    addends: tuple[tuple[Factor, Tensor], ...] = ()  # (B, 1 or C, ...) and (B, C, ...)
    moves: tuple[tuple[Factor, Tensor], ...] = ()  # (B, 1, ...) and (B, 2, 3), as in `Transform`


@dataclass(frozen=True)
class SumOfParts:
    """The ``apply`` of a transform that is a sum.

    ``parts(x, share, value, noise)`` are those of share * (the transformed x), where ``value`` (B,)
    is ``strongest`` times the magnitude.
    """

    parts: Callable[[Tensor, Factor, Tensor, Tensor], Parts]
    strongest: float = 1.0

    def __call__(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        if not len(x):  # of which there is no Fourier transform
            return x.clone()
        value = times(self.strongest, magnitude.to(x.dtype))
        return weighted_sum(x, [self.parts(x, 1.0, value, noise)])


def scale_of(transform: Transform) -> float:
    """What the magnitude has to be multiplied by to be the value that `parts_of` takes."""
    return transform.apply.strongest if isinstance(transform.apply, SumOfParts) else 1.0


def parts_of(transform: Transform, x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    """A share of what a transform makes of x, in parts; in a single one, if that is all it can."""
    if isinstance(transform.apply, SumOfParts):
        return transform.apply.parts(x, share, value, noise)
    if transform.affine is not None:
        return Parts(moves=((share, transform.affine(x, value, noise)),))
    return Parts(addends=((share, transform.apply(x, value, noise)),))


def times(factor: Factor, part: Any) -> Any:
    """The product, without a multiplication by 1."""
    if isinstance(factor, float) and factor == 1.0:
        return part
    return factor if isinstance(part, float) and part == 1.0 else factor * part


def weighted_sum(x: Tensor, terms: Iterable[Parts]) -> Tensor:
    """The sum of all parts of a batch x (B, ...)."""
    terms = list(terms)
    total, mixing = _filtered_and_moved(x, terms), _sum_of_channels(x, terms)
    gains = _by_shape(gain for parts in terms for gain in parts.gains)
    if mixing is not None:
        mixing, gains = _with_diagonal(mixing, gains)
        total = mixing @ x if total is None else torch.baddbmm(total, mixing, x)
    products: list[tuple[Factor, Tensor]] = [(gain, x) for gain in gains]
    products += [pair for parts in terms for pair in parts.addends]
    return _sum_of_products(total, products)


def _filtered_and_moved(x: Tensor, terms: list[Parts]) -> Tensor | None:
    responses = [parts.response for parts in terms if parts.response is not None]
    spectra = [parts.spectrum for parts in terms if parts.spectrum is not None]
    moves = [move for parts in terms for move in parts.moves]
    sums = []
    if responses:
        real, imaginary = reduce(add, responses).unbind(0)
        sums.append(filtered(x, torch.complex(reduce(add, [real, *spectra]), imaginary)))
    elif spectra:
        sums.append(filtered(x, reduce(add, spectra)))
    if moves:
        shares = [
            share.flatten() if isinstance(share, Tensor) else x.new_full((len(x),), share)
            for share, _ in moves
        ]
        affines = torch.stack([affine for _, affine in moves], dim=1)
        sums.append(warped_average(x, affines, torch.stack(shares, dim=1)))
    return reduce(add, sums) if sums else None


def _sum_of_channels(x: Tensor, terms: list[Parts]) -> Tensor | None:
    """(B, C, C), all that mixes channels; None if nothing does."""
    channels = [parts.channels for parts in terms if parts.channels is not None]
    turns = [turn for parts in terms for turn in parts.turns]
    if turns:
        channels.append(sum_of_turns(turns))
    return reduce(add, channels) if channels else None


def _by_shape(gains: Iterable[Factor]) -> list[Factor]:
    """The sums of the gains of each shape. Single numbers for a sample join the first of them."""
    found: dict[tuple[int, ...], Factor] = {}
    single: list[Factor] = []
    for gain in gains:
        if isinstance(gain, float) or gain.shape[1:].numel() == 1:
            single.append(gain)
        else:
            shape = tuple(gain.shape[1:])
            found[shape] = found[shape] + gain if shape in found else gain
    if single:
        alone = _sum_of_single(single)
        shape = next(iter(found), ())
        found[shape] = found[shape] + alone if shape in found else alone
    return list(found.values())


def _sum_of_single(gains: list[Factor]) -> Factor:
    """Tensors (B, 1, ...) and numbers: more than two tensors are added up at once."""
    tensors = [gain for gain in gains if isinstance(gain, Tensor)]
    if len(tensors) > 2:
        tensors = [torch.stack(tensors).sum(0)]
    both: list[Factor] = [*tensors, *(gain for gain in gains if isinstance(gain, float))]
    total: Factor = reduce(add, both)
    return total


def _with_diagonal(mixing: Tensor, gains: list[Factor]) -> tuple[Tensor, list[Factor]]:
    """A matrix (B, C, C) with the gains that are constant in time on its diagonal, and the others.

    So x is multiplied once for all.
    """
    eye = IDENTITY(mixing.shape[-1], mixing)
    others: list[Factor] = []
    for gain in gains:
        if isinstance(gain, float):
            mixing = torch.add(mixing, eye, alpha=gain)
        elif gain.shape[2:].numel() == 1:
            mixing = torch.addcmul(mixing, gain, eye)
        else:
            others.append(gain)
    return mixing, others


def _sum_of_products(total: Tensor | None, pairs: list[tuple[Factor, Tensor]]) -> Tensor:
    """The total and factor * tensor: (B, 1 or C, ...) or a number, times (B, C, ...)."""
    if total is None and len(pairs) == 1:
        return pairs[0][0] * pairs[0][1]
    if total is not None and not pairs:
        return total
    arguments: list[Tensor] = []
    for factor, tensor in pairs:
        if isinstance(factor, float):
            factor = tensor.new_full((1,) * tensor.ndim, factor)
        arguments += [factor, tensor]
    if is_in_forward_mode():  # where vmap may not write in place
        return reduce(add, _products(total, arguments))
    result: Tensor = _SumOfProducts.apply(total, *arguments)  # type: ignore[no-untyped-call]
    return result


def _products(total: Tensor | None, arguments: list[Tensor]) -> list[Tensor]:
    products = [a * b for a, b in zip(arguments[::2], arguments[1::2], strict=True)]
    return products if total is None else [total, *products]


class _SumOfProducts(Function):
    """As a chain of addcmul, whose backward takes three passes over each tensor; this takes two.

    All but the first addcmul work in place: fresh memory takes as long as the arithmetic.
    """

    @staticmethod
    def forward(total: Tensor | None, *arguments: Tensor) -> Tensor:
        factor, tensor = arguments[:2]
        result = factor * tensor if total is None else torch.addcmul(total, factor, tensor)
        for factor, tensor in zip(arguments[2::2], arguments[3::2], strict=True):
            result.addcmul_(factor, tensor)
        return result

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Tensor, int]:
        batched = []
        for each, dim in zip(arguments, in_dims, strict=True):
            if each is not None:
                each = each.movedim(dim, 0) if dim is not None else each.unsqueeze(0)
            batched.append(each)
        # All of one size, else what is written in place might be too small.
        batched[1] = batched[1].expand(info.batch_size, *batched[1].shape[1:])
        return _SumOfProducts.apply(*batched), 0  # type: ignore[no-untyped-call]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor | None, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        saved, needed = ctx.saved_tensors, ctx.needs_input_grad
        slopes: list[Tensor | None] = [slope if needed[0] else None]
        for factor, tensor, for_factor, for_tensor in zip(
            saved[::2], saved[1::2], needed[1::2], needed[2::2], strict=True
        ):
            slopes.append((slope * tensor).sum_to_size(factor.shape) if for_factor else None)
            slopes.append(slope * factor if for_tensor else None)
        return tuple(slopes)

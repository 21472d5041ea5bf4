"""Transforms of the colours and the brightness of images, which are (B, C, H, W) in [0, 1].

They are our own and not kornia's, with which the tests compare them: each is a few lines, exact at
magnitude 0, and one to four times as fast (``tests/speed/transforms.py``); the import of kornia
takes 0.2 seconds.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import Function, FunctionCtx

from augbench.datasets.errors import UserError
from augbench.datasets.forward_mode import apply_function
from augbench.datasets.task import Signal
from augbench.methods.transforms.geometry import AUTOAUGMENT
from augbench.methods.transforms.transform import (
    Transform,
    draw_signed,
    has_derivative,
    per_sample,
)

ALMOST_GREY = 1e-6  # a chroma below this has no hue


def brightness(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Move the image away from black or towards it.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6; the range is that of AugNet's code.
    """
    return _enhancement("brightness", _brighten, strongest=strongest)


def contrast(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Move the image away from its mean grey or towards it.

    Source: as in `brightness`. ``kornia.enhance.adjust_contrast`` is brightness under another name.
    """
    return _enhancement(
        "contrast", partial(_exaggerate, detail=_from_mean_grey), strongest=strongest
    )


def saturation(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Move the image away from its grey version or towards it; AutoAugment calls this color.

    Raises a UserError for images that are not of three colours.

    Source: as in `brightness`. ``kornia.enhance.adjust_saturation`` goes to the brightest of the
    three colours instead of the grey.
    """
    _check_colours(signal, "saturation")
    return _enhancement("saturation", _colour, strongest=strongest)


def sharpness(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Move the image away from its blurred version or towards it.

    Raises a UserError for images without a pixel that has neighbours on all sides.

    Source: as in `brightness`; the blur is PIL's.
    """
    if min(signal.shape[1:]) < 3:
        raise UserError(
            "transform 'sharpness' needs images of 3 x 3 pixels or more, the signal has "
            f"{signal.shape[1]} x {signal.shape[2]}: leave it out"
        )
    return _enhancement("sharpness", partial(_exaggerate, detail=_fine_detail), strongest=strongest)


def hue(signal: Signal, *, strongest: float = 0.5) -> Transform:
    """Turn all colours around the circle of hues, by up to half a turn either way.

    Raises a UserError for images that are not of three colours.

    Source: AugNet's code, which adds up to 2 radians and takes the rest modulo 1, as if hues were
    counted in turns: all come out between red and yellow.
    """
    _check_colours(signal, "hue")
    return Transform(
        name="hue",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="turns of the colour circle",
        source="AugNet's code",
        draw=draw_signed,
        apply=partial(_turn_hue, strongest=strongest),
        draws_strength=True,
    )


def _turn_hue(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Tensor:
    turns = strongest * per_sample(magnitude, x) * per_sample(noise, x)
    chroma = x.amax(1, keepdim=True) - x.amin(1, keepdim=True)
    # Red is at 0 sixths of the circle, green at 2, blue at 4; how much a colour misses depends
    # on its distance from the hue.
    ahead = _hue(x, chroma) + torch.arange(5, 0, -2, dtype=x.dtype, device=x.device).view(3, 1, 1)
    # The difference of two hues is exactly 0 for a turn of 0. kornia goes to HSV and back, and
    # is off by 6e-7 there, in float64 by 1e-8.
    return x + chroma * (_missing(ahead) - _missing(ahead + 6 * turns))


def _enhancement(
    name: str, change: Callable[[Tensor, Tensor], Tensor], *, strongest: float
) -> Transform:
    """Moves an image away from a dull version or towards it, by a change uniform in +-magnitude.

    ``change`` takes x and relative changes (B, 1, 1, 1). A pixel that is cut at 0 or 1 has no
    gradient, as is right; one that is exactly 0 or 1 has.
    """
    return Transform(
        name=name,
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="relative change",
        source=AUTOAUGMENT,
        draw=draw_signed,
        apply=partial(_enhance, strongest=strongest, change=change),
        draws_strength=True,
    )


def _enhance(
    x: Tensor,
    magnitude: Tensor,
    noise: Tensor,
    *,
    strongest: float,
    change: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    changed = change(x, strongest * per_sample(magnitude, x) * per_sample(noise, x))
    if not has_derivative(changed):
        return changed.clamp_(0, 1)
    cut: Tensor = apply_function(_Cut, changed)
    return cut


class _Cut(Function):
    """As clamp(0, 1), whose backward takes three more passes to find what was cut."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x.clamp(0, 1)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        x, cut = ctx.saved_tensors
        kept: Tensor = slope * (x == cut)
        return kept


def _brighten(x: Tensor, change: Tensor) -> Tensor:
    return x * (1 + change)


def _colour(x: Tensor, change: Tensor) -> Tensor:
    return torch.lerp(_grey(x), x, 1 + change)


def _exaggerate(x: Tensor, change: Tensor, *, detail: Callable[[Tensor], Tensor]) -> Tensor:
    """``detail`` is the image minus its dull version."""
    return torch.addcmul(x, change, detail(x))


def _from_mean_grey(x: Tensor) -> Tensor:
    # PIL and AugNet's code round the mean to one of 256 levels, which has no gradient.
    return x - _grey(x.mean((-2, -1), keepdim=True))


def _grey(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, 1, H, W), the luma of three colours, the mean of any other number.

    Source: ITU-R BT.601. AugNet's code has 0.110 for blue, torchvision 0.2989 for red: their grey
    of a grey pixel is darker by 0.4 % and 0.01 %.
    """
    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    red, green, blue = x.split(1, dim=1)
    grey: Tensor = 0.299 * red + 0.587 * green + 0.114 * blue
    return grey


def _fine_detail(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H, W), what a blur takes away; nothing at the border.

    The blur weights a pixel by 5/13 and its eight neighbours by 1/13. Sums of shifted images take
    less than half of a convolution's time.
    """
    rows = x[..., :-2, :] + x[..., 1:-1, :] + x[..., 2:, :]
    nine = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    return F.pad((9 * x[..., 1:-1, 1:-1] - nine) / 13, (1, 1, 1, 1))


def _hue(x: Tensor, chroma: Tensor) -> Tensor:
    """(B, 3, H, W), (B, 1, H, W) -> (B, 1, H, W), in sixths of the circle, from -1 to 5."""
    red, green, blue = x.split(1, dim=1)
    high = x.amax(1, keepdim=True)
    sixths = torch.where(
        high == red,
        green - blue,
        torch.where(high == green, blue - red + 2 * chroma, red - green + 4 * chroma),
    )
    return sixths / chroma.clamp(min=ALMOST_GREY)  # without a chroma no gradient, instead of NaN


def _missing(ahead: Tensor) -> Tensor:
    """How far a colour is below the highest one, as a share of the chroma."""
    share: Tensor = (2 - (ahead.remainder(6) - 2).abs()).clamp(0, 1)
    return share


def _check_colours(signal: Signal, transform: str) -> None:
    if signal.n_channels != 3:
        raise UserError(
            f"transform {transform!r} needs images of three colours (red, green, blue), the signal "
            f"has {signal.n_channels} of them: leave it out"
        )

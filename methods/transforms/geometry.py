"""Transforms that move the pixels of images, which are (B, C, H, W) in [0, 1]."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Generator, Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.constants import DeviceConstant
from augbench.methods.transforms.transform import Transform, draw_signed, draw_uniform
from augbench.methods.transforms.ungraded import ungraded
from augbench.methods.transforms.warp import sampled

AUTOAUGMENT = "Cubuk et al. 2019 (AutoAugment), Table 6"
UNMOVED = DeviceConstant(torch.eye(2, 3))
CROP_MARGIN = 0.125  # of the side: 4 pixels of 32
ROUNDING = 1 + 1e-12  # 1 / 49 of 49 pixels is below 1 in float64


def translate_x(signal: Signal, *, strongest: float = 0.45) -> Transform:
    """Move the image right or left; zeros come in.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6. AugNet's text says half of the width, its code
    has 0.45.
    """
    return _translate("translate_x", strongest, axis=0)


def translate_y(signal: Signal, *, strongest: float = 0.45) -> Transform:
    """Move the image down or up; zeros come in.

    Source: as in `translate_x`.
    """
    return _translate("translate_y", strongest, axis=1)


def rotate(signal: Signal, *, strongest: float = 30.0) -> Transform:
    """Turn the image about its centre, counter-clockwise for positive angles; zeros come in.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return _affine_transform("rotate", strongest, "degrees", _turned)


def shear_x(signal: Signal, *, strongest: float = 0.3) -> Transform:
    """Move each row sideways, in proportion to its distance from the middle row; zeros come in.

    Source: as in `translate_x`. AugNet's code shears about the top left pixel, which also moves the
    image by up to 0.15 of its height.
    """
    return _shear("shear_x", strongest, axis=0)


def shear_y(signal: Signal, *, strongest: float = 0.3) -> Transform:
    """Move each column up or down, in proportion to its distance from the middle one.

    Source: as in `shear_x`.
    """
    return _shear("shear_y", strongest, axis=1)


def horizontal_flip(signal: Signal) -> Transform:
    """Swap left and right.

    Source: Krizhevsky et al. 2012.
    """
    return ungraded("horizontal_flip", partial(torch.flip, dims=(-1,)), "Krizhevsky et al. 2012")


def vertical_flip(signal: Signal) -> Transform:
    """Swap up and down.

    Source: Krizhevsky et al. 2012, turned by a quarter.
    """
    return ungraded(
        "vertical_flip", partial(torch.flip, dims=(-2,)), "Krizhevsky et al. 2012, turned"
    )


def crop(signal: Signal, *, strongest: float = CROP_MARGIN) -> Transform:
    """Pad by zeros and cut out a window of the old size: a move by whole pixels along both axes.

    At magnitude 1 it reaches one pixel along the longer side at least, whatever the range: an
    eighth of a side below 8 would be none.

    Source: He et al. 2016 (ResNet), section 4.2: 4 pixels of 32.
    """
    share = max(strongest, 1 / max(signal.shape[1:]))
    return Transform(
        name="crop",
        graded=True,
        gradient="none",
        strongest=strongest,
        unit="share of the side",
        source="He et al. 2016 (ResNet), section 4.2",
        draw=_draw_pair,
        apply=partial(_crop, share=share * ROUNDING),
        draws_strength=True,
    )


def _draw_pair(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, ...) -> (B, 2), uniform in [-1, 1)."""
    return 2 * draw_uniform(x, generator, 2) - 1


def _crop(x: Tensor, magnitude: Tensor, noise: Tensor, *, share: float) -> Tensor:
    for axis, uniform in zip((2, 3), noise.unbind(1), strict=True):
        margin = (share * x.shape[axis] * magnitude.to(x.dtype)).floor()
        # Every whole number of pixels from -margin to margin is equally likely.
        x = _shift(x, (uniform * (margin + 0.5)).round().long(), axis)
    return x


def _turned(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Tensor:
    angle = torch.deg2rad(strongest * magnitude.to(x.dtype) * noise)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    height_by_width = x.shape[-2] / x.shape[-1]  # both sides are two units long
    rows = [cos, -height_by_width * sin, zero, sin / height_by_width, cos, zero]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def _translate(name: str, strongest: float, axis: int) -> Transform:
    unit = f"share of the {('width', 'height')[axis]}"
    return _affine_transform(name, strongest, unit, partial(_moved, entry=_entry(axis, 2)))


def _moved(
    x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float, entry: DeviceConstant
) -> Tensor:
    return _from_identity(x, magnitude, noise, entry, -2 * strongest)  # it is two units wide


def _shear(name: str, strongest: float, axis: int) -> Transform:
    slanted = partial(_slanted, entry=_entry(axis, 1 - axis), axis=axis)
    return _affine_transform(name, strongest, "pixels a pixel", slanted)


def _slanted(
    x: Tensor,
    magnitude: Tensor,
    noise: Tensor,
    *,
    strongest: float,
    entry: DeviceConstant,
    axis: int,
) -> Tensor:
    sizes = x.shape[-1], x.shape[-2]  # both sides are two units long
    return _from_identity(x, magnitude, noise, entry, -strongest * sizes[1 - axis] / sizes[axis])


def _entry(row: int, column: int) -> DeviceConstant:
    """(2, 3), a 1 among zeros."""
    table = torch.zeros(2, 3)
    table[row, column] = 1.0
    return DeviceConstant(table)


def _from_identity(
    x: Tensor, magnitude: Tensor, noise: Tensor, entry: DeviceConstant, strongest: float
) -> Tensor:
    """(B, 2, 3), affine maps that differ from the identity in one entry."""
    share = (magnitude.to(x.dtype) * noise).view(-1, 1, 1)
    return torch.addcmul(UNMOVED(x), share, entry(x), value=strongest)


def _affine_transform(
    name: str, strongest: float, unit: str, affine: Callable[..., Tensor]
) -> Transform:
    """A transform that moves pixels by ``affine``, with noise uniform in [-1, 1)."""
    affine = partial(affine, strongest=strongest)
    return Transform(
        name=name,
        graded=True,
        gradient="path",
        strongest=strongest,
        unit=unit,
        source=AUTOAUGMENT,
        draw=draw_signed,
        apply=partial(_apply_affine, affine=affine),
        affine=affine,
        draws_strength=True,
    )


def _apply_affine(
    x: Tensor, magnitude: Tensor, noise: Tensor, *, affine: Callable[..., Tensor]
) -> Tensor:
    return sampled(x, affine(x, magnitude, noise).unsqueeze(1))


def _shift(x: Tensor, pixels: Tensor, axis: int) -> Tensor:
    """Move each image (B, C, H, W) by its own whole number (B,) along an axis; zeros come in."""
    size = x.shape[axis]
    source = torch.arange(size, device=x.device) - pixels.unsqueeze(1)  # (B, size)
    shape = [len(x), 1, 1, 1]
    shape[axis] = size
    moved = x.gather(axis, source.clamp(0, size - 1).view(shape).expand_as(x))
    return moved * ((source >= 0) & (source < size)).view(shape)

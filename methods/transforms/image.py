"""Transforms of images, which are (B, C, H, W) in [0, 1]."""

import torch
import torch.nn.functional as F
from torch import Tensor

from datasets.task import Signal
from methods.transforms.transform import Transform, draw_signed, per_sample, ungraded


def translate_x(signal: Signal, *, strongest: float = 0.45) -> Transform:
    """Move the image right or left; zeros come in.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return _translate("translate_x", strongest, axis=0)


def translate_y(signal: Signal, *, strongest: float = 0.45) -> Transform:
    """Move the image down or up; zeros come in.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return _translate("translate_y", strongest, axis=1)


def rotate(signal: Signal, *, strongest: float = 30.0) -> Transform:
    """Turn the image about its centre, counter-clockwise for positive angles; zeros come in.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """

    def apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        angle = torch.deg2rad(strongest * magnitude.to(x.dtype) * noise)
        cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
        height_by_width = x.shape[-2] / x.shape[-1]  # the grid runs from -1 to 1 in both directions
        rows = [cos, -sin * height_by_width, zero], [sin / height_by_width, cos, zero]
        return _warp(x, rows)

    return Transform(
        name="rotate",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="degrees",
        source="Cubuk et al. 2019, Table 6",
        draw=draw_signed,
        apply=apply,
    )


def horizontal_flip(signal: Signal) -> Transform:
    """Swap left and right.

    Source: Krizhevsky et al. 2012.
    """
    return ungraded("horizontal_flip", lambda x: x.flip(-1), "Krizhevsky et al. 2012")


def brightness(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Multiply by a factor that is uniform in 1 -+ magnitude, then cut at 1.

    A pixel that is cut has no gradient, as is right; one that stands at 1 still has.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6; the range is that of AugNet's code.
    """

    def apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        factor = 1 + strongest * per_sample(magnitude, x) * per_sample(noise, x)
        return (x * factor).clamp(0, 1)

    return Transform(
        name="brightness",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="relative change",
        source="Cubuk et al. 2019, Table 6",
        draw=draw_signed,
        apply=apply,
    )


def _translate(name: str, strongest: float, axis: int) -> Transform:
    def apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        share = strongest * magnitude.to(x.dtype) * noise
        one, zero = torch.ones_like(share), torch.zeros_like(share)
        # The grid is two units wide and says where each pixel comes from.
        origin = [zero, zero]
        origin[axis] = -2 * share
        rows = [one, zero, origin[0]], [zero, one, origin[1]]
        return _warp(x, rows)

    return Transform(
        name=name,
        graded=True,
        gradient="path",
        strongest=strongest,
        unit=f"share of the {('width', 'height')[axis]}",
        source="Cubuk et al. 2019, Table 6",
        draw=draw_signed,
        apply=apply,
    )


def _warp(x: Tensor, rows: tuple[list[Tensor], list[Tensor]]) -> Tensor:
    """Sample (B, C, H, W) bilinearly where the affine maps, two rows of three (B,), point to."""
    theta = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)  # (B, 2, 3)
    # Pixels are squares (align_corners=False): the borders stand at -1 and 1, as a share of the
    # size needs.
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)

"""Transforms that lay something over images, which are (B, C, H, W) in [0, 1]."""

from functools import partial

import torch
from torch import Generator, Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.geometry import AUTOAUGMENT
from augbench.methods.transforms.parts import Factor, Parts, SumOfParts, times
from augbench.methods.transforms.transform import Transform, draw_uniform, per_sample

GREY = 0.5


def cutout(signal: Signal, *, strongest: float = 0.2) -> Transform:
    """Cover a grey square, whose side is uniform up to the magnitude and its centre in the image.

    The part outside the image is lost. At the edges of the square a pixel is covered in proportion
    to its covered area, so that the side has a gradient; the source covers whole pixels.

    Source: DeVries and Taylor 2017; grey as in Cubuk et al. 2019 (AutoAugment), Table 6; the range
    is that of Fast AutoAugment's code. DeVries and Taylor's 0 is the mean of standardised images.
    """
    return Transform(
        name="cutout",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="share of the shorter side",
        source="DeVries and Taylor 2017; " + AUTOAUGMENT,
        draw=partial(_draw_uniform, count=3),
        apply=partial(_cover, strongest=strongest),
        draws_strength=True,
    )


def _cover(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Tensor:
    height, width = x.shape[-2:]
    size, down, across = noise.unbind(1)
    side = strongest * min(height, width) * magnitude.to(x.dtype) * size
    rows = _coverage(down * height, side, height).unsqueeze(-1)  # (B, H, 1)
    columns = _coverage(across * width, side, width).unsqueeze(-2)  # (B, 1, W)
    return torch.addcmul(x, (rows * columns).unsqueeze(1), GREY - x)


def sample_pairing(signal: Signal, *, strongest: float = 0.4) -> Transform:
    """Mix each image with another one of the batch, with a weight uniform up to the magnitude.

    Partners form a random ring: each image is the partner of exactly one other, and its own only if
    it is alone. The label stays. In a policy the batch is those samples that draw this operation.

    Source: Inoue 2018; Cubuk et al. 2019 (AutoAugment), Table 6, has weights up to 0.4. AugNet's
    code has 1, which leaves nothing of the image, and the same weight for all.
    """
    strongest = min(strongest, 1.0)
    return Transform(
        name="sample_pairing",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="weight of the other image",
        source="Inoue 2018; " + AUTOAUGMENT,
        draw=partial(_draw_uniform, count=2),
        apply=SumOfParts(_mix, strongest),
        mixes=True,
        draws_strength=True,
    )


def _mix(x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    weight, key = noise.unbind(1)
    ring = key.argsort()
    partner = torch.empty_like(ring).scatter(0, ring, ring.roll(-1))
    mixed = times(share, per_sample(value * weight, x))
    return Parts(gains=(share,), addends=((mixed, x.index_select(0, partner) - x),))


def _draw_uniform(x: Tensor, generator: Generator | None, *, count: int) -> Tensor:
    """(B, ...) -> (B, count), uniform in [0, 1)."""
    return draw_uniform(x, generator, count)


def _coverage(centre: Tensor, length: Tensor, n_pixels: int) -> Tensor:
    """(B,), (B,) in pixels -> (B, n_pixels), the share of each pixel that a span covers."""
    begin = (centre - length / 2).unsqueeze(1)
    end = begin + length.unsqueeze(1)
    pixel = torch.arange(n_pixels, dtype=centre.dtype, device=centre.device)
    return (end.minimum(pixel + 1) - begin.maximum(pixel)).clamp(min=0)

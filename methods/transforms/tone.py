"""Transforms by a curve from old to new brightness. Images are (B, C, H, W) in [0, 1]."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.geometry import AUTOAUGMENT
from augbench.methods.transforms.transform import (
    Transform,
    draw_uniform,
    has_derivative,
    per_sample,
)
from augbench.methods.transforms.ungraded import ungraded

NEAR = 0.25  # a slope is taken over this share of the range at least
HALF_LEVEL = 0.5 / 255


def invert(signal: Signal) -> Transform:
    """Swap black and white.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return ungraded("invert", _inverted, AUTOAUGMENT)


def auto_contrast(signal: Signal) -> Transform:
    """Stretch each colour so that its darkest pixel is 0 and its brightest 1.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return ungraded("auto_contrast", _stretched, AUTOAUGMENT)


def equalize(signal: Signal) -> Transform:
    """Make all brightnesses of a colour equally frequent: a pixel becomes the share of darker ones.

    The curve has steps, and its gradient to x is straight-through: that of the identity.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return ungraded("equalize", _equalized, AUTOAUGMENT)


def solarize(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Invert the pixels above a threshold, which lies below white by up to the magnitude.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6. Faster AutoAugment's and AugNet's codes have
    the identity at magnitude 1.
    """
    return _stepping("solarize", strongest, "share of the range of brightness", _solarized)


def posterize(signal: Signal, *, strongest: float = 4.0) -> Transform:
    """Set the lowest of the 8 bits of each brightness to 0: at magnitude 1 four, so that 16 remain.

    The curve has steps, and its gradient to x is straight-through: that of the identity.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6: 8 to 4 bits. TrivialAugment goes down to 2.
    Faster AutoAugment's code has the identity at magnitude 1, AugNet's changes nothing at any.
    """
    strongest = min(strongest, 8.0)
    return _stepping("posterize", strongest, "lowest bits set to 0", _posterized)


def _inverted(x: Tensor) -> Tensor:
    return 1 - x


def _stretched(x: Tensor) -> Tensor:
    low, high = x.amin((-2, -1), keepdim=True), x.amax((-2, -1), keepdim=True)
    # A constant colour stays, as in PIL. A colour that spans less than half of one of 256
    # levels counts as constant, so that rounding errors are not stretched to an image. kornia
    # makes it black, and where a colour spans one level its brightest pixel is 0.9997.
    constant = high - low < HALF_LEVEL
    return torch.where(constant, x, (x - low) / torch.where(constant, 1, high - low))


def _equalized(x: Tensor) -> Tensor:
    level = _levels(x - x.amin((-2, -1), keepdim=True)).flatten(2)
    ones = torch.ones_like(level, dtype=x.dtype)
    counts = x.new_zeros(*level.shape[:2], 256).scatter_add(2, level, ones)
    darker = counts.cumsum(2) - counts
    most = darker.gather(2, level.amax(2, keepdim=True))  # 0: constant, as above
    # PIL and kornia divide by whole steps of most / 255 pixels. In photographs of 32 x 32 that
    # is off by 4 levels on average and makes 3.6 % of all pixels white instead of 1.2 %; at
    # 16 x 16 it leaves 39 % of the colours unchanged, at 8 x 8 all of them.
    share = (darker / most.clamp(min=1)).gather(2, level).view_as(x)
    return _straight_through(x, torch.where(most.unsqueeze(-1) == 0, x.detach(), share))


def _solarized(x: Tensor, strength: Tensor) -> Tensor:
    # As in the source, thresholds go from 256 to 0 of 255 levels: the first leaves white, the
    # last inverts black. With thresholds from 1 to 0, as in kornia, white turns black at
    # strength 0.
    return torch.where(x < (1 - strength) * (256 / 255), x, 1 - x)


def _posterized(x: Tensor, strength: Tensor) -> Tensor:
    bits = strength.round().long()
    # kornia truncates x * 255 instead of rounding it: after an `invert`, 1 - k / 255 is a level
    # too low for 159 of 256 values of k, and at 4 bits 16 levels off for 11 of them.
    kept = ((_levels(x) >> bits) << bits).to(x.dtype) / 255
    return _straight_through(x, torch.where(bits == 0, x.detach(), kept))


def _stepping(
    name: str, strongest: float, unit: str, change: Callable[[Tensor, Tensor], Tensor]
) -> Transform:
    """A graded transform that steps in its strength, which is uniform up to the magnitude.

    ``change`` takes x and strengths (B, 1, 1, 1) in ``unit``.
    """
    return Transform(
        name=name,
        graded=True,
        gradient="straight-through",
        strongest=strongest,
        unit=unit,
        source=AUTOAUGMENT,
        draw=draw_uniform,
        apply=partial(_apply_steps, strongest=strongest, change=change),
        draws_strength=True,
    )


def _apply_steps(
    x: Tensor,
    magnitude: Tensor,
    noise: Tensor,
    *,
    strongest: float,
    change: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    limit = strongest * per_sample(magnitude, x)
    changed = change(x, limit.detach() * per_sample(noise, x))
    if not has_derivative(magnitude):
        return changed
    # Straight-through: the slope of the chord from the drawn strength to the limit. The mean of
    # f over [0, m) has the derivative (f(m) - mean) / m, so this is right on average: under
    # linear losses of photographs its cosine with the true slope is at least 0.98 from
    # magnitude 0.2 on. For `solarize` the chord from nothing to the strongest, as in
    # `channel_shuffle`, has a cosine as low as 0.20, and the sum of the gradient over all
    # pixels, as in AugNet's code, one of -0.78. Below NEAR the chord goes up to NEAR, for a
    # slope of 0 would keep the magnitude at 0.
    reach = limit.detach().clamp(min=NEAR * strongest)
    slope = (change(x.detach(), reach) - changed.detach()) / reach
    return changed + (limit - limit.detach()) * slope


def _levels(x: Tensor) -> Tensor:
    """The nearest of the 256 levels of an 8-bit image, int64."""
    return (255 * x).round().long().clamp(0, 255)


def _straight_through(x: Tensor, value: Tensor) -> Tensor:
    """``value``, with x's gradient."""
    return value + (x - x.detach()) if has_derivative(x) else value

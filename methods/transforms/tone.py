"""Transforms by a curve from old to new brightness. Images are (B, C, H, W) in [0, 1]."""

from collections.abc import Callable

import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.geometry import AUTOAUGMENT
from augbench.methods.transforms.transform import Transform, draw_uniform, per_sample, ungraded

NEAR = 0.25  # a slope is taken over this share of the range at least
HALF_LEVEL = 0.5 / 255


def invert(signal: Signal) -> Transform:
    """Swap black and white.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """
    return ungraded("invert", lambda x: 1 - x, AUTOAUGMENT)


def auto_contrast(signal: Signal) -> Transform:
    """Stretch each colour so that its darkest pixel is 0 and its brightest 1.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """

    def stretched(x: Tensor) -> Tensor:
        low, high = x.amin((-2, -1), keepdim=True), x.amax((-2, -1), keepdim=True)
        # A constant colour stays, as in PIL; of 256 levels it is one if it spans less than half of
        # one, and rounding errors are not stretched to an image. kornia makes it black, and the
        # brightest pixel of others no brighter than 0.9997 where they span a single level.
        constant = high - low < HALF_LEVEL
        return torch.where(constant, x, (x - low) / torch.where(constant, 1, high - low))

    return ungraded("auto_contrast", stretched, AUTOAUGMENT)


def equalize(signal: Signal) -> Transform:
    """Make all brightnesses of a colour equally frequent: to each pixel its share of darker ones.

    The curve has steps, and its gradient to x is straight-through: that of the identity.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6.
    """

    def equalized(x: Tensor) -> Tensor:
        level = _levels(x - x.amin((-2, -1), keepdim=True)).flatten(2)
        ones = torch.ones_like(level, dtype=x.dtype)
        counts = x.new_zeros(*level.shape[:2], 256).scatter_add(2, level, ones)
        darker = counts.cumsum(2) - counts
        most = darker.gather(2, level.amax(2, keepdim=True))  # 0: constant, as above
        # PIL, and kornia after it, divide by whole steps of most / 255 pixels. In 32 x 32 photos
        # that is off by 4 levels on average and makes 3.6 % of all pixels white instead of 1.2 %;
        # at 16 x 16 it leaves 39 % of the colours unchanged, at 8 x 8 all.
        share = (darker / most.clamp(min=1)).gather(2, level).view_as(x)
        return _straight_through(x, torch.where(most.unsqueeze(-1) == 0, x.detach(), share))

    return ungraded("equalize", equalized, AUTOAUGMENT)


def solarize(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Invert the pixels above a threshold, which lies below white by up to the magnitude.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6. Faster AutoAugment's and AugNet's codes have
    the identity at magnitude 1.
    """

    def solarized(x: Tensor, strength: Tensor) -> Tensor:
        # The source's thresholds 256 to 0 of 255 levels: the first leaves white, the last inverts
        # black. With thresholds 1 to 0, as in kornia, white turns black at strength 0.
        return torch.where(x < (1 - strength) * (256 / 255), x, 1 - x)

    return _stepping("solarize", strongest, "share of the range of brightness", solarized)


def posterize(signal: Signal, *, strongest: float = 4.0) -> Transform:
    """Set the lowest of the 8 bits of each brightness to 0: at magnitude 1 four, so that 16 remain.

    The curve has steps, and its gradient to x is straight-through: that of the identity.

    Source: Cubuk et al. 2019 (AutoAugment), Table 6: 8 to 4 bits. TrivialAugment goes down to 2.
    Faster AutoAugment's code has the identity at magnitude 1, AugNet's changes nothing at any.
    """
    strongest = min(strongest, 8.0)

    def posterized(x: Tensor, strength: Tensor) -> Tensor:
        bits = strength.round().long()
        # kornia cuts x * 255 to a whole number instead of rounding: after an `invert`, 1 - k / 255
        # falls a level short for 159 of 256 k, and is 16 levels off at 4 bits for 11.
        kept = ((_levels(x) >> bits) << bits).to(x.dtype) / 255
        return _straight_through(x, torch.where(bits == 0, x.detach(), kept))

    return _stepping("posterize", strongest, "lowest bits set to 0", posterized)


def _stepping(
    name: str, strongest: float, unit: str, change: Callable[[Tensor, Tensor], Tensor]
) -> Transform:
    """A graded transform that steps in its strength, which is uniform up to the magnitude.

    ``change`` takes x and strengths (B, 1, 1, 1) in ``unit``.
    """

    def apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        limit = strongest * per_sample(magnitude, x)
        changed = change(x, limit.detach() * per_sample(noise, x))
        if not magnitude.requires_grad:
            return changed
        # Straight-through: the slope of the chord from the drawn strength to the limit. The mean of
        # f over [0, m) has the derivative (f(m) - mean) / m, so on average this is the truth: under
        # linear losses of photos its cosine with it is 0.98 and more from magnitude 0.2 on. With
        # `solarize` it goes down to 0.20 for the chord from nothing to the strongest, as in
        # `channel_shuffle`, and to -0.78 for the sum of the gradient over all pixels, as in
        # AugNet's code. Below NEAR the chord is taken up to there, for a slope of 0 would hold the
        # magnitude at 0.
        with torch.no_grad():
            reach = limit.clamp(min=NEAR * strongest)
            slope = (change(x, reach) - changed) / reach
        return changed + (limit - limit.detach()) * slope

    return Transform(
        name=name,
        graded=True,
        gradient="straight-through",
        strongest=strongest,
        unit=unit,
        source=AUTOAUGMENT,
        draw=draw_uniform,
        apply=apply,
        draws_strength=True,
    )


def _levels(x: Tensor) -> Tensor:
    """The nearest of the 256 levels of an 8-bit image, int64."""
    return (255 * x).round().long().clamp(0, 255)


def _straight_through(x: Tensor, value: Tensor) -> Tensor:
    """``value``, with x's gradient."""
    return value + (x - x.detach()) if x.requires_grad else value

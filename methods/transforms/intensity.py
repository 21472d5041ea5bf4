"""Transforms of the colours and the brightness of images, which are (B, C, H, W) in [0, 1]."""

from torch import Tensor

from datasets.task import Signal
from methods.transforms.transform import Transform, draw_signed, per_sample


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

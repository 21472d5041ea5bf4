"""Transforms without strength, whose magnitude is the probability of being applied."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from augbench.methods.transforms.parts import Parts, SumOfParts
from augbench.methods.transforms.transform import (
    Transform,
    draw_uniform,
    per_sample,
    relaxed_bernoulli,
)


def ungraded(
    name: str,
    change: Callable[[Tensor], Tensor],
    source: str,
    *,
    parts: Callable[[Tensor, Tensor], Parts] | None = None,
) -> Transform:
    """A transform without strength: ``change`` (B, ...) -> (B, ...), applied with a probability.

    ``parts(x, share)`` says how x and what it becomes are blended, share (B, 1, ...) of the
    latter, where that takes less than to multiply both.
    """
    return Transform(
        name=name,
        graded=False,
        gradient="relaxed",
        strongest=1.0,
        unit="probability",
        source=source,
        draw=draw_uniform,
        apply=SumOfParts(partial(_relaxed, parts=parts or partial(_blended, change=change))),
    )


def _relaxed(
    x: Tensor, magnitude: Tensor, noise: Tensor, *, parts: Callable[[Tensor, Tensor], Parts]
) -> Parts:
    return parts(x, per_sample(relaxed_bernoulli(magnitude, noise), x))


def _blended(x: Tensor, share: Tensor, *, change: Callable[[Tensor], Tensor]) -> Parts:
    return Parts(gain=1 - share, addends=((share, change(x)),))

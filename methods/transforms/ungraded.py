"""Transforms without strength, whose magnitude is the probability of being applied."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from augbench.methods.transforms.parts import Factor, Parts, SumOfParts, times
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
    parts: Callable[[Tensor, Factor, Tensor], Parts] | None = None,
) -> Transform:
    """A transform without strength: ``change`` (B, ...) -> (B, ...), applied with a probability.

    ``parts(x, share, changed)`` blends x and what it becomes: ``share`` is the weight of the whole
    result, ``changed`` (B, 1, ...) the part of it that the changed x gets. It is for changes that
    need not be computed, such as a change of sign.
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
    x: Tensor,
    share: Factor,
    value: Tensor,
    noise: Tensor,
    *,
    parts: Callable[[Tensor, Factor, Tensor], Parts],
) -> Parts:
    return parts(x, share, times(share, per_sample(relaxed_bernoulli(value, noise), x)))


def _blended(
    x: Tensor, share: Factor, changed: Tensor, *, change: Callable[[Tensor], Tensor]
) -> Parts:
    return Parts(gains=(share - changed,), addends=((changed, change(x)),))

"""The contract of a transform: draw the noise first, then apply it, deterministically."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Generator, Tensor

Gradient = Literal["path", "relaxed", "straight-through", "none"]


@dataclass(frozen=True)
class Transform:
    """One operation, bound to a signal (its sampling rate, channel names, size).

    ``draw(x, generator) -> noise`` draws all that is random, of shape (B, ...), on x's device.
    ``apply(x, magnitude, noise) -> x`` is deterministic, leaves x untouched, and keeps shape, dtype and
    device; ``magnitude`` is (B,) in [0, 1], 0 the identity and 1 the strongest. Equal noise gives equal
    results: common random numbers and exact resumption depend on it.

    A graded transform maps the magnitude linearly from 0 to ``strongest`` in ``unit``. An ungraded one
    (a flip, a time reversal) has no strength: its magnitude is the *probability* of being applied,
    relaxed (``relaxed_bernoulli``) so that the probability has a gradient; at 0 and 1 it is exact.

    ``gradient`` says how the magnitude gets one: by the pathwise derivative, through the relaxed
    Bernoulli, straight through a discrete choice, or not at all.
    """

    name: str
    graded: bool
    gradient: Gradient
    strongest: float  # the argument at magnitude 1, in `unit`
    unit: str
    source: str
    draw: Callable[[Tensor, Generator | None], Tensor]
    apply: Callable[[Tensor, Tensor, Tensor], Tensor]


def per_sample(values: Tensor, x: Tensor) -> Tensor:
    """(B,) -> (B, 1, ...), ready to broadcast over the samples of x (B, ...)."""
    return values.reshape(-1, *[1] * (x.ndim - 1))

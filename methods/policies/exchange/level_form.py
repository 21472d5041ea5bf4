"""Forms that list (operation, probability, level): their operations and their levels.

A level is a place on a range of the operation's own argument, which acts at just that value.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Entry = tuple[str, float, float | None]
NEAR = 1e-6


class Scale(NamedTuple):
    """An operation: our transform, and its argument from the first to the last level."""

    ours: str
    first: float = 0.0
    last: float = 0.0
    neutral: float | None = None  # the argument that changes nothing; None: no argument
    unit: float = 1.0  # of ours, in one of the argument
    whole: Callable[[float], float] | None = None  # how a strength becomes a whole number

    def strength(self, share: float) -> float | None:
        """The strength in our unit at a share of the way from the first to the last level."""
        if self.neutral is None:
            return None
        argument = self.first + share * (self.last - self.first)
        strength = abs(argument - self.neutral) * self.unit
        return float(self.whole(strength - NEAR)) if self.whole else strength

    def share(self, strength: float) -> float:
        """The inverse, on the side that reaches further; beyond [0, 1] if it is not reached."""
        assert self.neutral is not None
        up = abs(self.last - self.neutral) >= abs(self.first - self.neutral)
        towards = self.last if up else self.first
        argument = self.neutral + math.copysign(strength / self.unit, towards - self.neutral)
        return (argument - self.first) / (self.last - self.first)


@dataclass(frozen=True)
class LevelForm:
    """A form: its operations, and its levels."""

    title: str
    scales: Mapping[str, Scale]
    top: float  # the last level; the first one is 0
    whole: bool  # levels are whole numbers
    half: float = 0.0  # 0.5 where a level is a bin, of which the middle counts
    loses: tuple[str, ...] = ()
    one_way: frozenset[str] = field(default_factory=frozenset)  # no random sign there

    def share(self, level: float) -> float:
        """A level as a share of the way from the beginning to the end of the range."""
        return (level + self.half) / (self.top + 2 * self.half)

    def level(self, share: float) -> float:
        """The inverse of `share`."""
        return share * (self.top + 2 * self.half) - self.half

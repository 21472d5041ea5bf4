"""Forms in constructor notation: a table of operations, which `write_calls` and `read_calls` walk.

An operation draws its strength from a range, as ours do: -s to s, or 0 to s.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.shapes import (
    FIRST,
    PAIR,
    SAME,
    Ends,
    Shape,
    Unit,
    numbers_in,
)
from augbench.methods.policies.number import shown

NEAR = 1e-6


@dataclass(frozen=True, eq=False)
class Row:
    """One of our transforms as an operation of other software."""

    ours: str
    theirs: str  # the class
    argument: str = ""  # that holds the strength; none for an operation without one
    unit: Unit = SAME
    shape: Shape = PAIR
    fixed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    both_sides: bool = True  # -s to s, else 0 to s
    most: float = math.inf  # the largest strength that it takes, in our unit
    one_number: Ends | None = None  # what one number means instead of a range; None: nothing
    # Where it takes one strength instead of a range: so many values of the range are written.
    n_values: int = 0
    draws: bool = False  # draws more than the strength, or draws that in a way of its own
    loses: str = ""

    def call(self, low: float, high: float) -> Call:
        """The operation with strengths between two, in our unit."""
        if not self.argument:
            return Call(self.theirs, dict(self.fixed))
        ends = sorted((self.unit.theirs(low), self.unit.theirs(high)))
        value = self.shape.pack(ends[0], ends[1])
        return Call(self.theirs, {self.argument: value, **self.fixed})

    def at(self, strength: float) -> Call:
        """The operation at just this strength; up to it, if it draws more than that."""
        strength = min(strength, self.most)
        lowest = -strength if self.both_sides else 0.0
        return self.call(lowest if self.draws else strength, strength)

    def strength(self, call: Call, lost: list[str]) -> float | None:
        """The strength in our unit; None if the call leaves it at what changes nothing."""
        value = call.arguments.get(self.argument)
        what = f"{call.short}({self.argument}={shown(value)})"
        numbers = numbers_in(what, value)
        if isinstance(value, int | float) and self.shape in (PAIR, FIRST):
            value = numbers = [*self._ends(what, value)]
        ends = None if value is None else self.shape.unpack(value)
        if ends is None:
            return None
        for number in numbers:
            self.unit.check(what, number)
        low, high = sorted(self.unit.ours(end) for end in ends)
        strength = max(abs(low), abs(high))
        if abs(low + high if self.both_sides else low) > NEAR * max(strength, 1.0):
            to = f"-{strength:.4g}" if self.both_sides else "0"
            lost.append(f"{what}: here the strength is drawn from {to} to {strength:.4g}")
        return strength

    def _ends(self, what: str, number: float) -> tuple[float, float]:
        """The range that one number stands for."""
        if self.one_number is None:
            raise UserError(f"{what}: one number is no range; write both ends, as (low, high)")
        if number < 0:
            raise UserError(
                f"{what}: one number has to be 0 or more; write both ends, as (low, high)"
            )
        return self.one_number(number)


# Weights of subpolicies, and in each the calls of operations with their probabilities.
Calls = list[tuple[float, list[tuple[float, Call]]]]


@dataclass(frozen=True)
class Dialect:
    """The operations of other software, and how it holds weights and probabilities."""

    title: str
    rows: tuple[Row, ...]
    wrap: Callable[[Calls], Call]
    unwrap: Callable[[Call, list[str]], Calls]  # what is lost is added to the list
    loses: tuple[str, ...] = ()

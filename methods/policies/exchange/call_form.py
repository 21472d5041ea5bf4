"""Forms in constructor notation: a table of operations, and the one walk over it in each direction.

An operation draws its strength from a range, as ours do: -s to s, or 0 to s.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError, listed
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
    check_count,
    check_number,
    check_probability,
    check_weight,
)

NEAR = 1e-6


class Unit(NamedTuple):
    """What a strength of ours is there, and the reverse."""

    theirs: Callable[[float], float]
    ours: Callable[[float], float]


SAME = Unit(float, float)
FACTOR = Unit(lambda s: 1 + s, lambda v: v - 1)  # 1 changes nothing
SLOPE = Unit(lambda s: math.degrees(math.atan(s)), lambda v: math.tan(math.radians(v)))
BITS_KEPT = Unit(lambda s: 8 - s, lambda v: 8 - v)
AREA = Unit(lambda s: s * abs(s), lambda v: math.sqrt(max(v, 0.0)))
# Ours goes from 256 to 0 of 255 levels, so that white stays white at the beginning.
THRESHOLD = Unit(
    lambda s: min(1.0, (1 - s) * 256 / 255), lambda v: 0.0 if v >= 1 else 1 - v * 255 / 256
)


class Shape(NamedTuple):
    """How an argument holds a range; ``unpack`` gives None for what is not of this shape."""

    pack: Callable[[float, float], Any]
    unpack: Callable[[Any], tuple[Any, Any] | None]


def _of_four(place: int) -> Shape:
    """A range for x and one for y, of which one is at 0; two numbers alone are for x."""

    def pack(low: float, high: float) -> tuple[float, ...]:
        return (low, high, 0.0, 0.0) if place == 0 else (0.0, 0.0, low, high)

    def unpack(value: Any) -> tuple[Any, Any] | None:
        four = [*value, 0, 0] if _is_list(value, 2) else value
        if not _is_list(four, 4) or [*four[2 - place : 4 - place]] != [0, 0]:
            return None
        return four[place], four[place + 1]

    return Shape(pack, unpack)


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list | tuple) and len(value) == length


PAIR = Shape(lambda low, high: (low, high), lambda v: tuple(v) if _is_list(v, 2) else None)
FIRST, SECOND = _of_four(0), _of_four(2)
# The same range on both axes, given by its end.
BOTH_AXES = Shape(
    lambda low, high: (high, high),
    lambda v: (-v[0], v[0]) if _is_list(v, 2) and v[0] == v[1] else None,
)
# The largest one alone: a fixed strength, or the end of a range that begins at none.
LARGEST = Shape(lambda low, high: high, lambda value: (0.0, value))
ONE_VALUE = Shape(lambda low, high: high, lambda value: (value, value))


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
        what = f"{call.short}({self.argument}={value})"
        _check_numbers(what, value)
        centre = self.unit.theirs(0.0)
        if isinstance(value, int | float) and self.shape in (PAIR, FIRST):
            value = (centre - value, centre + value)
        ends = None if value is None else self.shape.unpack(value)
        if ends is None:
            return None
        low, high = sorted(self.unit.ours(end) for end in ends)
        strength = max(abs(low), abs(high))
        if abs(low + high if self.both_sides else low) > NEAR * max(strength, 1.0):
            to = f"-{strength:.4g}" if self.both_sides else "0"
            lost.append(f"{what}: here the strength is drawn from {to} to {strength:.4g}")
        return strength


def _check_numbers(what: str, value: Any) -> None:
    """Raises a UserError unless a value holds numbers and nothing else; it may be None."""
    if isinstance(value, Mapping):
        for each in value.values():
            _check_numbers(what, each)
    elif value is not None:
        for each in value if isinstance(value, list | tuple) else [value]:
            check_number(what, each)


# Weights of subpolicies, and in each the calls of operations with their probabilities.
Calls = list[tuple[float, list[tuple[float, Call]]]]


@dataclass(frozen=True)
class Dialect:
    """The operations of other software, and how it holds weights and probabilities."""

    title: str
    rows: tuple[Row, ...]
    wrap: Callable[[Calls], Call]
    unwrap: Callable[[Call], Calls]
    loses: tuple[str, ...] = ()


def write_calls(dialect: Dialect, chains: list[Chain], lost: list[str]) -> Call:
    """The policy as one call; operations that are not there are left out, which ``lost`` says.

    Raises a UserError if none is left.
    """
    rows = {row.ours: row for row in dialect.rows}
    calls: Calls = []
    for chain in chains:
        kept = [step for step in chain.steps if _is_known(step, rows, dialect, lost)]
        calls.append(
            (chain.weight, [(s.probability, _call(rows[s.transform], s, lost)) for s in kept])
        )
    if not any(steps for _, steps in calls):
        raise UserError(
            f"{dialect.title} has none of the operations of this policy; it has: "
            f"{', '.join(sorted(rows))}"
        )
    lost += dialect.loses
    return dialect.wrap(calls)


def read_calls(dialect: Dialect, call: Call, lost: list[str]) -> list[Chain]:
    """The inverse of `write_calls`; raises a UserError for an operation that we do not have."""
    calls = dialect.unwrap(call)
    check_count(len(calls))
    return [
        Chain(check_weight(weight), tuple(_step(dialect, p, each, lost) for p, each in steps))
        for weight, steps in calls
    ]


def _is_known(step: Step, rows: Mapping[str, Row], dialect: Dialect, lost: list[str]) -> bool:
    if step.transform not in rows:
        lost.append(f"{step.transform} is left out: {dialect.title} has nothing like it")
    return step.transform in rows


def _call(row: Row, step: Step, lost: list[str]) -> Call:
    if row.loses:
        lost.append(f"{row.ours}: {row.loses}")
    if step.strength is None:
        return row.call(0.0, 0.0)
    # Fewer digits than a file shows: what is read from it is written in the same way again.
    strength = min(float(f"{step.strength:.9g}"), row.most)
    if strength < step.strength - NEAR:
        lost.append(f"{row.ours}: {strength:.4g} is the strongest there, not {step.strength:.4g}")
    if row.n_values:
        lost.append(f"{row.ours}: its strength is one of {row.n_values} values there")
        values = [(n + 0.5) / row.n_values * strength for n in range(row.n_values)]
        values += [-value for value in values] if row.both_sides else []
        return Call(
            f"{row.theirs.rpartition('.')[0]}.RandomChoice",
            {"transforms": [row.call(value, value) for value in values]},
        )
    return row.call(-strength if row.both_sides else 0.0, strength)


def _step(dialect: Dialect, probability: Any, call: Call, lost: list[str]) -> Step:
    choice = call.arguments.get("transforms")
    if call.short == "RandomChoice" and isinstance(choice, list) and choice:
        return _step_of_values(dialect, probability, choice, lost)
    rows = [row for row in dialect.rows if row.theirs.rpartition(".")[2] == call.short]
    if not rows:
        names = sorted({row.theirs.rpartition(".")[2] for row in dialect.rows})
        raise UserError(
            f"it holds {call.short}, which augbench has nothing for; it can read "
            f"{listed(names, 40)}"
        )
    if "*" in call.arguments or "**" in call.arguments:
        raise UserError(f"{call.short} has arguments without names; write their names")
    p = check_probability(call.short, probability)
    found = {row: row.strength(call, lost) for row in rows if row.argument}
    _say_what_is_not_read(call, rows, lost)
    if not found:
        return Step(rows[0].ours, p, None)
    acting = {row: strength for row, strength in found.items() if strength}
    if len(acting) > 1:
        raise UserError(
            f"{call.short} does {' and '.join(row.ours for row in acting)} at once; write one call "
            "for each"
        )
    for row, strength in (acting or {r: s for r, s in found.items() if s is not None}).items():
        return Step(row.ours, p, strength)
    names = [row.argument for row in rows]
    raise UserError(f"{call.short} lacks a range as {' or '.join(dict.fromkeys(names))}")


def _step_of_values(dialect: Dialect, probability: Any, choice: list[Any], lost: list[str]) -> Step:
    """A step whose strength is one of the values that the calls of one class have."""
    quiet: list[str] = []
    steps = [_step(dialect, 1.0, each, quiet) for each in choice if isinstance(each, Call)]
    names = {step.transform for step in steps}
    if len(names) != 1 or len(steps) != len(choice):
        raise UserError("a choice inside a subpolicy has to be one of strengths of one operation")
    mean = sum(step.strength or 0.0 for step in steps) / len(steps)
    name = names.pop()
    lost.append(f"{name}: its strength is drawn from a range here, not from values")
    return Step(name, check_probability(name, probability), 2 * mean)


def _say_what_is_not_read(call: Call, rows: list[Row], lost: list[str]) -> None:
    usual = {key: value for row in rows for key, value in row.fixed.items()}
    known = {"p", "transforms", *(row.argument for row in rows)}
    rest = [
        key
        for key, value in call.arguments.items()
        if key not in known and (key not in usual or value != usual[key])
    ]
    if rest:
        lost.append(f"{call.short}: here without its {', '.join(rest)}")

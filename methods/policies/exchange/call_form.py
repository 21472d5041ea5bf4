"""Forms in constructor notation: a table of operations, and the one walk over it in each direction.

An operation draws its strength from a range, as ours do: -s to s, or 0 to s.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from augbench.datasets.errors import UserError, listed
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.own_rows import find_recipes, own_call
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
    check_count,
    check_probability,
    check_weight,
)
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


def write_calls(dialect: Dialect, chains: list[Chain], lost: list[str]) -> Call:
    """The policy as one call; operations that are not there are left out, which ``lost`` says.

    Raises a UserError if none is left.
    """
    rows = {row.ours: row for row in dialect.rows}
    own = find_recipes([step for chain in chains for step in chain.steps], dialect.title, lost)
    calls: Calls = []
    for chain in chains:
        kept: list[tuple[float, Call]] = []
        for step in chain.steps:
            if step.transform in own:
                kept.append((step.probability, own_call(step, own, dialect.title)))
            elif _is_known(step, rows, dialect, lost):
                kept.append((step.probability, _call(rows[step.transform], step, lost)))
        calls.append((chain.weight, kept))
    if not any(steps for _, steps in calls):
        raise UserError(
            f"{dialect.title} has none of the operations of this policy; it has: "
            f"{', '.join(sorted(rows))}"
        )
    lost += dialect.loses
    return dialect.wrap(calls)


def read_calls(dialect: Dialect, call: Call, lost: list[str]) -> list[Chain]:
    """The inverse of `write_calls`; raises a UserError for an operation that we do not have."""
    calls = dialect.unwrap(call, lost)
    check_count(len(calls))
    return [
        Chain(check_weight(weight), tuple(_step(dialect, p, each, lost, lost) for p, each in steps))
        for weight, steps in calls
    ]


def _is_known(step: Step, rows: Mapping[str, Row], dialect: Dialect, lost: list[str]) -> bool:
    if step.transform not in rows and not step.transform.startswith(f"{dialect.title}."):
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


def _step(
    dialect: Dialect, probability: Any, call: Call, lost: list[str], ranges: list[str]
) -> Step:
    """An operation; ``ranges`` takes what is lost of the range of its strength."""
    choice = call.arguments.get("transforms")
    if call.short == "RandomChoice" and isinstance(choice, list) and choice:
        return _step_of_values(dialect, probability, call, lost)
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
    found = {row: row.strength(call, ranges) for row in rows if row.argument}
    row = _acting_row(call, found) if found else rows[0]
    _say_what_is_not_read(call, row, rows, lost)
    return Step(row.ours, p, found.get(row))


def _acting_row(call: Call, found: Mapping[Row, float | None]) -> Row:
    """The operation that a call of several is; raises a UserError unless that is certain."""
    acting = [row for row, strength in found.items() if strength]
    still = [row for row, strength in found.items() if strength is not None]
    if len(acting) > 1:
        raise UserError(
            f"{call.short} does {' and '.join(row.ours for row in acting)} at once; write one call "
            "for each"
        )
    arguments = dict.fromkeys(row.argument for row in found)
    if not still:
        raise UserError(f"{call.short} lacks a range as {' or '.join(arguments)}")
    row = [*acting, *still][0]
    read = {each.argument for each in still}
    for name in arguments:
        value = call.arguments.get(name)
        if name not in read and value is not None:
            raise UserError(
                f"{call.short}({name}={shown(value)}) cannot be read beside its {row.argument}; "
                "write one call for each operation, with a range that augbench writes itself"
            )
    return row


def _step_of_values(dialect: Dialect, probability: Any, call: Call, lost: list[str]) -> Step:
    """A step whose strength is one of the values that the calls of one class have."""
    choice = [each for each in call.arguments["transforms"] if isinstance(each, Call)]
    certain = len(choice) == len(call.arguments["transforms"]) and call.arguments.get("p") is None
    certain &= all(each.arguments.get("p", 1.0) == 1.0 for each in choice)
    ranges: list[str] = []  # that each is one value is said once, below
    steps = [_step(dialect, 1.0, each, lost, ranges) for each in choice]
    strengths = [step.strength for step in steps if step.strength is not None]
    names = {step.transform for step in steps}
    if not certain or len(names) != 1 or len(strengths) != len(steps):
        raise UserError(
            "a choice inside a subpolicy has to be one of strengths of one operation, all as "
            "likely and each with p=1; write other choices as subpolicies"
        )
    name = names.pop()
    most = next(row.most for row in dialect.rows if row.ours == name)
    lost.append(f"{name}: its strength is drawn from a range here, not from values")
    strength = min(most, 2 * sum(strengths) / len(strengths))
    return Step(name, check_probability(name, probability), strength)


def _say_what_is_not_read(call: Call, row: Row, rows: list[Row], lost: list[str]) -> None:
    usual = {key: value for each in rows for key, value in each.fixed.items()}
    known = {"p", "transforms", *(each.argument for each in rows)}
    rest = [
        key
        for key, value in call.arguments.items()
        if key not in known and (key not in usual or value != usual[key])
    ]
    if rest:
        lost.append(f"{call.short}: here without its {', '.join(rest)}")
    for key, value in row.fixed.items():
        if key not in call.arguments and key != "p":
            lost.append(f"{call.short}: here with {key}={value}, which it leaves open")

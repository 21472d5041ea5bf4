"""Reads a policy from a call in the constructor notation of other software."""

from collections.abc import Mapping
from typing import Any

from augbench.datasets.errors import UserError, listed
from augbench.methods.policies.exchange.call_form import Dialect, Row
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
    check_count,
    check_probability,
    check_weight,
)
from augbench.methods.policies.exchange.read_own import is_own, read_own
from augbench.methods.policies.number import shown


def read_calls(dialect: Dialect, call: Call, lost: list[str]) -> list[Chain]:
    """The inverse of `write_calls`; raises a UserError for an operation that we do not have."""
    calls = dialect.unwrap(call, lost)
    check_count(len(calls))
    return [
        Chain(check_weight(weight), tuple(_step(dialect, p, each, lost, lost) for p, each in steps))
        for weight, steps in calls
    ]


def _step(
    dialect: Dialect, probability: Any, call: Call, lost: list[str], ranges: list[str]
) -> Step:
    """An operation; ``ranges`` takes what is lost of the range of its strength."""
    choice = call.arguments.get("transforms")
    if call.short == "RandomChoice" and isinstance(choice, list) and choice:
        return _step_of_values(dialect, probability, call, lost)
    rows = [row for row in dialect.rows if row.theirs.rpartition(".")[2] == call.short]
    if not rows and not is_own(dialect.title, call.short):
        names = sorted({row.theirs.rpartition(".")[2] for row in dialect.rows})
        raise UserError(
            f"it holds {call.short}, which augbench has nothing for; it can read "
            f"{listed(names, 40)}"
        )
    if "*" in call.arguments or "**" in call.arguments:
        raise UserError(f"{call.short} has arguments without names; write their names")
    p = check_probability(call.short, probability)
    if not rows:
        return read_own(dialect.title, p, call, lost)
    ranges_of_rows: list[str] = []
    found = {row: row.strength(call, ranges_of_rows) for row in rows if row.argument}
    several_act = sum(bool(strength) for strength in found.values()) > 1
    if several_act and is_own(dialect.title, call.short):
        return read_own(dialect.title, p, call, lost)
    ranges += ranges_of_rows
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

"""Writes a policy as a call in the constructor notation of other software."""

from collections.abc import Mapping

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.call_form import NEAR, Calls, Dialect, Row
from augbench.methods.policies.exchange.calls import Call
from augbench.methods.policies.exchange.own_rows import find_recipes, own_call
from augbench.methods.policies.exchange.physical import (
    Chain,
    Step,
)


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

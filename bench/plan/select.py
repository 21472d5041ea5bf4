"""Which trial of a plan somebody means who names its task, method, fold or seed."""

from collections.abc import Sequence
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.datasets.errors import UserError, listed, unknown


def select_trial(
    plan: Sequence[PlannedTrial],
    *,
    task: str | None = None,
    method: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
) -> PlannedTrial:
    """The one trial of a plan that fits; ``task`` and ``method`` are labels of the suite.

    Raises a UserError if none fits, or if a choice is left open.
    """
    given = {"task": task, "method": method, "fold": fold, "seed": seed}
    for key, value in given.items():
        if value is None:
            continue
        fitting = [planned for planned in plan if _value(planned, key) == value]
        if not fitting:
            raise unknown(key, str(value), {str(_value(planned, key)) for planned in plan})
        plan = fitting
    for key in given:
        values = list(dict.fromkeys(str(_value(planned, key)) for planned in plan))
        if len(values) > 1:
            raise UserError(f"several trials fit: say which {key}, one of {listed(values)}")
    return plan[0]


def _value(planned: PlannedTrial, key: str) -> Any:
    return getattr(planned if key in ("task", "method") else planned.spec, key)

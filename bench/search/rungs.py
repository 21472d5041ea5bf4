"""How far the trials of a search are, from the files of their units alone."""

from collections.abc import Iterable, Sequence
from math import ceil, inf, isfinite, isnan, nan
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.accounts import Charge, add_charges, charged
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import involved, unit_state
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.job import load_task

REDUCTION = 3  # one of this many trials goes on from a rung
RUNGS = (1, 2, 3)  # a ninth of a unit's steps, a third, all of them


def rung_step(spec: TrialSpec, rung: int, data: Path) -> int | None:
    """The step at which a unit of an end-to-end method reaches a rung; None: at its end."""
    if rung == RUNGS[-1]:
        return None
    epochs = load_task(spec.task, data).training.epochs
    length = min(epochs, spec.budget.steps or epochs)
    return ceil(length / step_divisor(rung))


def step_divisor(rung: int) -> int:
    """By which a unit's number of steps is divided to get those that are done at a rung."""
    share: int = REDUCTION ** (RUNGS[-1] - rung)
    return share


def best_valid_at(run: RunDirectory, spec: TrialSpec, step: int | None) -> float | None:
    """The best validation metric of a unit up to a step, once it is there; None before.

    ``step`` None is its end, evaluations of its policies included. NaN for a unit that has ended
    without any metric, for example because its first loss was not finite. 0 is a metric.
    """
    directory = run.unit(spec.unit)
    rows, ended = directory.points(), directory.result() is not None
    if not ended and (step is None or not rows or rows[-1]["step"] < step):
        return None
    shown = [row for row in rows if row["step"] <= (inf if step is None else step)]
    values = [float(row["valid"]) for row in shown if row["kind"] == "model"]
    for evaluation in evaluations(run, spec, shown):
        unit = run.unit(evaluation.unit)
        if unit.result() is None:
            return None
        values += [float(row["valid"]) for row in unit.points()]
    return max(filter(isfinite, values), default=nan)


def ending(run: RunDirectory, spec: TrialSpec) -> str:
    """How a unit without any metric has ended, in a word or two: "diverged", "over budget"."""
    for unit in involved(run, spec):
        state, _ = unit_state(unit)
        if state != "done":
            return state
    return "without a point"


def charges(run: RunDirectory, plan: Iterable[PlannedTrial]) -> dict[str, Charge]:
    """What each unit of a trial has been charged so far, by its id."""
    found = {}
    for planned in plan:
        directory = run.unit(planned.spec.unit)
        found[str(planned.spec.unit)] = unit_charge(directory)
        for evaluation in evaluations(run, planned.spec, directory.points()):
            if (done := run.unit(evaluation.unit)).result() is not None:
                found[str(evaluation.unit)] = unit_charge(done)
    return found


def unit_charge(directory: UnitDirectory) -> Charge:
    """What a unit has been charged by its end, or by the last point that it has shown."""
    rows, result = directory.points(), directory.result()
    costs = result["costs"] if result else rows[-1]["costs"] if rows else None
    return charged(costs) if costs else add_charges()


class MeanValid(NamedTuple):
    """The metric of a trial: the mean over its units, and the standard error of that mean."""

    value: float
    standard_error: float | None  # None for a single unit


def mean_valid(values: Sequence[float]) -> MeanValid:
    """The mean validation metric of a trial's units; a unit without a metric (NaN) counts as 0."""
    values = [0.0 if isnan(value) else value for value in values]
    spread = stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
    return MeanValid(fmean(values), spread)


def promoted(values: dict[int, float]) -> set[int]:
    """Which of all trials that have reached a rung go on: the best third, older ones first.

    Source: Li et al. 2020 (ASHA), algorithm 2, with the trials of a batch taken together.
    """
    ranked = sorted(values, key=lambda number: (-values[number], number))
    return set(ranked[: ceil(len(ranked) / REDUCTION)])

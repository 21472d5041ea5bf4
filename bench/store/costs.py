"""What finished trials cost, phase by phase, their retrainings included."""

from collections.abc import Iterator, Sequence
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.accounts import wasted
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.phases import CHARGED, PHASES
from augbench.bench.store.points import identity_columns, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory

WASTED = "wasted"  # a phase of its own: what crashes lost, and no method is charged
COUNTS = ("seconds", "cpu_seconds", "forward", "backward")


def read_costs(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per finished trial and phase; trials with a retraining to come are left out.

    Sums over a trial and its retrainings, one of each policy: ``COUNTS``, where ``forward`` and
    ``backward`` are samples, and ``charged``, whether the method pays for the phase. Of what was
    wasted only the seconds are known. Damaged trials are left out.
    """
    return list(of_whole_trials(run, plan, _of_trial))


def _of_trial(run: RunDirectory, planned: PlannedTrial) -> Iterator[dict[str, Any]]:
    trial = run.unit(planned.spec.unit)
    units = [trial]
    if trial.check() is not None:
        found = evaluations(run, planned.spec, trial.points())
        units += [run.unit(unit) for unit in dict.fromkeys(each.unit for each in found)]
    results = [unit.check() for unit in units]
    done = [result for result in results if result is not None]
    if len(done) < len(units):
        return
    for phase in PHASES:
        costs = [result["costs"][phase] for result in done]
        sums = {name: sum(cost[name] for cost in costs) for name in COUNTS}
        yield {**identity_columns(planned), "phase": phase, "charged": phase in CHARGED, **sums}
    nothing = dict.fromkeys(COUNTS, 0)
    lost = {"phase": WASTED, "charged": False, **nothing, "seconds": _lost(units)}
    yield {**identity_columns(planned), **lost}


def _lost(units: Sequence[UnitDirectory]) -> float:
    return sum(wasted(unit) for unit in units)

"""What finished trials cost, phase by phase, their retrainings included."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.accounts import wasted
from augbench.bench.store.attempt_log import joules
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError
from augbench.bench.store.phases import CHARGED, PHASES
from augbench.bench.store.points import identity_columns, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import sampling_units, wasted_on_samplings
from augbench.bench.store.unit_directory import UnitDirectory

# A phase of its own, for what no method pays: work that was lost, or beyond the end of a budget.
WASTED = "wasted"
COUNTS = ("seconds", "cpu_seconds", "forward", "backward")
ENERGY = ("processors", "gpu")


def read_costs(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per finished trial and phase; trials with a retraining to come are left out.

    Sums over a trial and its retrainings, one of each policy: ``COUNTS``, where ``forward`` and
    ``backward`` are samples, and ``charged``, whether the method pays for the phase. Of what was
    wasted only the seconds are known. Damaged trials are left out.
    """
    return list(of_whole_trials(run, plan, _of_trial))


def _of_trial(run: RunDirectory, planned: PlannedTrial) -> Iterator[dict[str, Any]]:
    units = _finished_units(run, planned)
    if units is None:
        return
    done = units.values()
    for phase in PHASES:
        costs = [result["costs"][phase] for result in done]
        sums = {name: sum(cost[name] for cost in costs) for name in COUNTS}
        yield {**identity_columns(planned), "phase": phase, "charged": phase in CHARGED, **sums}
    nothing = dict.fromkeys(COUNTS, 0)
    seconds = sum(map(wasted, units)) + wasted_on_samplings(run, planned.spec)
    lost = {"phase": WASTED, "charged": False, **nothing, "seconds": seconds}
    yield {**identity_columns(planned), **lost}


def _finished_units(
    run: RunDirectory, planned: PlannedTrial
) -> dict[UnitDirectory, dict[str, Any]] | None:
    """A trial and its retrainings, one of each policy, with results; None if one is to come."""
    trial = run.unit(planned.spec.unit)
    if trial.check() is None:
        return None
    found = evaluations(run, planned.spec, trial.points())
    units = [trial, *map(run.unit, dict.fromkeys(each.unit for each in found))]
    results = {unit: unit.check() for unit in units}
    done = {unit: result for unit, result in results.items() if result is not None}
    return done if len(done) == len(units) else None


def read_energy(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per finished trial of which the machine tells it: joules of processors and GPU.

    Sums over all attempts at a trial and at its retrainings, one of each policy. They are those of
    the machine while these ran: of two units at the same time each has the whole. A part that some
    attempt does not tell is None. Damaged trials are left out.
    """
    return list(of_whole_trials(run, plan, _energy_of_trial))


def _energy_of_trial(run: RunDirectory, planned: PlannedTrial) -> Iterator[dict[str, Any]]:
    if not any(map(joules, run.unit(planned.spec.unit).attempts())):
        return  # before any file is checked: few machines tell
    units = _finished_units(run, planned)
    if units is None:
        return
    told = [joules(attempt) for unit in units for attempt in unit.attempts()]
    for sampling in sampling_units(run, planned.spec):  # the trial's costs hold theirs
        with suppress(DamagedError):
            told += [joules(attempt) for attempt in sampling.attempts()]
    sums = {
        part: sum(each[part] for each in told) if all(part in each for each in told) else None
        for part in ENERGY
    }
    if any(value is not None for value in sums.values()):
        yield {**identity_columns(planned), **sums}

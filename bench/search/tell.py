"""Ends a trial of a search in its journal, with all that is known of it."""

from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.search.journal import Journal
from augbench.bench.search.rungs import charges, ending, mean_valid
from augbench.bench.search.trial_record import TrialRecord
from augbench.bench.store.accounts import Charge, add_charges
from augbench.bench.store.run_directory import RunDirectory


class Candidate(NamedTuple):
    """A trial that is under way: the suite's trials of the method with some values."""

    number: int
    plan: tuple[PlannedTrial, ...]


def tell(
    run: RunDirectory,
    journal: Journal,
    candidate: Candidate,
    values: Sequence[float],
    *,
    pruned: bool,
) -> None:
    """End a trial with the metrics of its units; NaN for a unit that has shown none."""
    own = _own_charges(run, journal, candidate)
    value, standard_error = mean_valid(values)
    total = add_charges(*own.values())
    pairs = list(zip(candidate.plan, values, strict=True))
    record = TrialRecord(
        standard_error=standard_error,
        values=[None if isnan(each) else each for each in values],
        without_metric=[ending(run, planned.spec) for planned, v in pairs if isnan(v)],
        device_hours=total.seconds / 3600,
        forward=total.forward,
        backward=total.backward,
        charges={unit: list(charge) for unit, charge in own.items()},
    )
    journal.tell(candidate.number, value, record.to_json(), pruned=pruned)


def _own_charges(run: RunDirectory, journal: Journal, candidate: Candidate) -> dict[str, Charge]:
    """The costs that no other trial is charged for: trials with equal values share units."""
    own = charges(run, candidate.plan)
    for trial in journal.trials():
        if trial.number == candidate.number:
            continue
        for unit, (seconds, forward, backward) in trial.user_attrs.get("charges", {}).items():
            if unit in own:
                own[unit] = add_charges(own[unit], Charge(-seconds, -forward, -backward))
    return own

"""What is left to do of some trials, and of what they ask for."""

from collections.abc import Iterable
from typing import NamedTuple

from augbench.bench.plan.spec import EvaluationSpec, SamplingSpec, Spec, TrialSpec, UnitId
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import last_asked_for
from augbench.bench.store.states import FINISHED, unit_state


class Backlog(NamedTuple):
    """The units that are known and not finished."""

    units: list[Spec]  # trials and samplings first, then the retrainings they ask for
    requested_by: dict[UnitId, UnitId]  # for each retraining or sampling, a trial that asks for it
    damaged: dict[UnitId, str]  # those of them that have a damaged file, and which
    waiting: dict[UnitId, set[UnitId]]  # trials among them that wait for samplings, and for which


def pending(run: RunDirectory, specs: Iterable[TrialSpec]) -> Backlog:
    """What is left to do of some trials; a unit with a damaged file is to be done again."""
    trials: dict[UnitId, Spec] = {}
    waiting: dict[UnitId, set[UnitId]] = {}
    asked: dict[UnitId, EvaluationSpec] = {}
    requested_by: dict[UnitId, UnitId] = {}
    damaged = {}
    for spec in specs:
        directory = run.unit(spec.unit)
        if not directory.path.exists():  # a quick check: there can be very many trials
            trials[spec.unit] = spec
            continue
        try:
            rows = directory.points()
            directory.asked()  # without it nobody knows what its samplings have cost
            scoring = evaluations(run, spec, rows)
            state, reason = unit_state(directory, rows)
        except DamagedError as error:
            scoring, state, reason = [], "damaged", str(error)
        if state == "damaged":
            damaged[spec.unit] = reason
        if state not in FINISHED:
            open_samplings = open_samplings_of(run, spec)
            if open_samplings:
                waiting[spec.unit] = {each.unit for each in open_samplings}
            trials |= {each.unit: each for each in open_samplings}
            requested_by |= dict.fromkeys((each.unit for each in open_samplings), spec.unit)
            trials[spec.unit] = spec
        for each in scoring:
            state, reason = unit_state(run.unit(each.unit))
            if state == "damaged":
                damaged[each.unit] = reason
            if state not in FINISHED:
                asked[each.unit] = each
                requested_by[each.unit] = spec.unit
    return Backlog([*trials.values(), *asked.values()], requested_by, damaged, waiting)


def open_samplings_of(run: RunDirectory, spec: TrialSpec) -> list[SamplingSpec]:
    """What nobody has done of the batch that a trial has asked for last."""
    try:
        asked = last_asked_for(run, spec)
    except DamagedError:  # the trial itself will report it
        return []
    return [each for each in asked if unit_state(run.unit(each.unit))[0] not in FINISHED]

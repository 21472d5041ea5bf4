"""Keeps an engine busy until all planned units are done, and records what happens."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from augbench.bench.driver.longest_first import LongestFirst
from augbench.bench.engines.engine import Engine, Outcome
from augbench.bench.plan.spec import EvaluationSpec, SamplingSpec, Spec, TrialSpec, UnitId
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError, append_line, write_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import last_asked_for
from augbench.bench.store.states import FINISHED, unit_state

TRIES = {"crashed": 3, "failed": 2, "refused": 1}  # in one run of the driver


@dataclass
class Tally:
    """What one run of the driver has done, and what is left."""

    finished: int = 0
    failed: dict[UnitId, str] = field(default_factory=dict)  # with the reason
    crashes: int = 0
    in_flight: set[UnitId] = field(default_factory=set)
    queue: deque[UnitId] = field(default_factory=deque)
    requested_by: dict[UnitId, UnitId] = field(default_factory=dict)  # see Backlog


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
            scoring = evaluations(run, spec, rows)
            state, reason = unit_state(directory, rows)
        except DamagedError as error:
            scoring, state, reason = [], "damaged", str(error)
        if state == "damaged":
            damaged[spec.unit] = reason
        if state not in FINISHED:
            open_samplings = _open_samplings(run, spec)
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


def _open_samplings(run: RunDirectory, spec: TrialSpec) -> list[SamplingSpec]:
    """What nobody has done of the batch that a trial has asked for last."""
    try:
        asked = last_asked_for(run, spec)
    except DamagedError:  # the trial itself will report it
        return []
    return [each for each in asked if unit_state(run.unit(each.unit))[0] not in FINISHED]


def work_through(
    run: RunDirectory,
    specs: Iterable[TrialSpec],
    engine: Engine,
    tally: Tally,
    *,
    halted: Callable[[], bool] = lambda: False,
    on_tick: Callable[[], None] = lambda: None,
    tick_seconds: float = 0.5,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Do all pending units, and the retrainings that trials ask for meanwhile.

    A unit that fails stops no other unit. Trials go first, and at the end the longest
    (`LongestFirst`); retrainings fill the free slots. Once ``halted``, running units stop after
    their step, and no new unit starts. ``clock`` tells the seconds that units take. Raises a
    FileNotFoundError if the run's events file is gone, most likely together with the whole run
    directory.
    """
    trials = {spec.unit: spec for spec in specs}
    known: dict[UnitId, Spec] = {}
    waiting: dict[UnitId, set[UnitId]] = {}  # trials, and the samplings that each waits for

    def enqueue(found: Backlog) -> None:
        tally.requested_by |= found.requested_by
        waiting.update({unit: left for unit, left in found.waiting.items() if unit not in known})
        for spec in found.units:
            # What a trial under way asks for is handed out when it pauses.
            early = isinstance(spec, SamplingSpec) and found.requested_by[spec.unit] in known
            if spec.unit not in known and not early:
                known[spec.unit] = spec
                if spec.unit not in waiting:
                    tally.queue.append(spec.unit)

    def hand_out(trial: UnitId) -> bool:
        """Queue what a trial has asked for since it was begun; False if it has not asked."""
        if run.unit(trial).samplings_size() == asked_before[trial]:
            return False
        asked = [each for each in _open_samplings(run, trials[trial]) if each.unit not in known]
        for spec in reversed(asked):  # before all others: a search waits for them
            known[spec.unit] = spec
            tally.requested_by[spec.unit] = trial
            tally.queue.appendleft(spec.unit)
        if asked:
            waiting[trial] = {spec.unit for spec in asked}
        else:
            tally.queue.appendleft(trial)
        return True

    def settle(sampling: UnitId) -> None:
        """A sampling has ended, well or not: its trial goes on once that holds for all of them."""
        tally.failed.pop(sampling, None)  # the trial does it itself, and then says what fails
        trial = tally.requested_by[sampling]
        waiting[trial].discard(sampling)
        if not waiting[trial]:
            del waiting[trial]
            tally.queue.appendleft(trial)

    enqueue(pending(run, trials.values()))
    tries: Counter[UnitId] = Counter()
    order = LongestFirst(known, clock)
    sizes: dict[UnitId, int] = {}
    asked_before: dict[UnitId, int] = {}  # the sizes of what trials ask for when they are begun
    while tally.in_flight or (tally.queue and not halted()):
        while tally.queue and not halted() and len(tally.in_flight) < engine.slots:
            unit = order.take(tally.queue, engine.slots)
            tries[unit] += 1
            _log_event(run, "dispatched", unit, f"try {tries[unit]}")
            directory = run.add_unit(unit, known[unit].to_json())  # only now: a plan can be long
            directory.failure_file.unlink(missing_ok=True)
            asked_before[unit] = directory.samplings_size()
            engine.submit(unit)
            tally.in_flight.add(unit)
        on_tick()
        # Running trials may ask for retrainings. Their points are read when a slot is free or when
        # they end, and only if the files have grown.
        has_free_slot = not tally.queue and len(tally.in_flight) < engine.slots
        to_read = set(tally.in_flight) if has_free_slot else set()
        for outcome in engine.wait(tick_seconds):
            tally.in_flight.remove(outcome.unit)
            to_read.add(outcome.unit)
            unit = outcome.unit
            waits = outcome.ending == "done" and unit in trials and hand_out(unit)
            order.ended(unit, finished=outcome.ending == "done" and not (waits or halted()))
            if waits:
                tries[unit] = 0
                _log_event(run, "waits", unit, f"for {len(waiting.get(unit, ()))} samplings")
            elif _record_outcome(run, outcome, tries[unit], tally):
                tally.queue.append(unit)
            elif unit.kind == "samplings" and not halted():
                settle(unit)
        enqueue(
            pending(run, _with_new_points(run, [trials[u] for u in to_read if u in trials], sizes))
        )
    on_tick()


def _with_new_points(
    run: RunDirectory, trials: Iterable[TrialSpec], sizes: dict[UnitId, int]
) -> list[TrialSpec]:
    """The trials whose points files have grown since the last call."""
    grown = []
    for trial in trials:
        size = run.unit(trial.unit).points_size()
        if size != sizes.get(trial.unit, 0):
            sizes[trial.unit] = size
            grown.append(trial)
    return grown


def _record_outcome(run: RunDirectory, outcome: Outcome, n_tries: int, tally: Tally) -> bool:
    """Record an outcome; True if the unit is to be tried again."""
    unit, ending, reason = outcome
    if ending == "done":
        paused = run.halt_file.exists() and run.unit(unit).result() is None
        tally.finished += not paused
        _log_event(run, "paused" if paused else "finished", unit)
        return False
    tally.crashes += ending == "crashed"
    again = n_tries < TRIES[ending]
    _log_event(run, "retried" if again else "failed", unit, f"{ending}: {reason}")
    if not again:
        tally.failed[unit] = reason
        with suppress(OSError):  # the disk may be full; the tally keeps the reason
            write_json(run.unit(unit).failure_file, {"reason": reason})
    return again


def _log_event(run: RunDirectory, event: str, unit: UnitId, detail: str = "") -> None:
    append_line(
        run.events_file,
        {"time": time.time(), "event": event, "unit": str(unit), "detail": detail},
        sync=event != "dispatched",
        makes_file=False,  # not in the empty folder that an unmounted share leaves
    )

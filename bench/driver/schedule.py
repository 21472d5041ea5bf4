"""Keeps an engine busy until all planned units are done, and records what happens."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from augbench.bench.driver.backlog import open_samplings_of, pending
from augbench.bench.driver.longest_first import LongestFirst
from augbench.bench.engines.engine import Engine, Outcome
from augbench.bench.plan.spec import SamplingSpec, Spec, TrialSpec, UnitId
from augbench.bench.store.files import append_line, write_json
from augbench.bench.store.run_directory import RunDirectory

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


class _Schedule:
    """Which units are known, which trials wait for samplings, and how often each was tried."""

    def __init__(
        self,
        run: RunDirectory,
        specs: Iterable[TrialSpec],
        engine: Engine,
        tally: Tally,
        clock: Callable[[], float],
    ) -> None:
        self.run, self.engine, self.tally = run, engine, tally
        self.trials = {spec.unit: spec for spec in specs}
        self._known: dict[UnitId, Spec] = {}
        self._waiting: dict[UnitId, set[UnitId]] = {}  # trials, and the samplings of each
        self._tries: Counter[UnitId] = Counter()
        self._order = LongestFirst(self._known, clock)
        self._points_sizes: dict[UnitId, int] = {}
        self._asked_sizes: dict[UnitId, int] = {}  # of what trials ask for, when they are begun

    def enqueue(self, trials: Iterable[TrialSpec]) -> None:
        """Queue what is left to do of trials, and what they ask for."""
        found = pending(self.run, trials)
        self.tally.requested_by |= found.requested_by
        self._waiting |= {u: left for u, left in found.waiting.items() if u not in self._known}
        for spec in found.units:
            # What a trial under way asks for is handed out when it pauses.
            early = isinstance(spec, SamplingSpec) and found.requested_by[spec.unit] in self._known
            if spec.unit not in self._known and not early:
                self._known[spec.unit] = spec
                if spec.unit not in self._waiting:
                    self.tally.queue.append(spec.unit)

    def submit(self) -> None:
        """Hand the next unit to the engine."""
        unit = self._order.take(self.tally.queue, self.engine.slots)
        self._tries[unit] += 1
        _log_event(self.run, "dispatched", unit, f"try {self._tries[unit]}")
        spec = self._known[unit]
        directory = self.run.add_unit(unit, spec.to_json())  # only now: a plan can be long
        directory.failure_file.unlink(missing_ok=True)
        self._asked_sizes[unit] = directory.samplings_size()
        self.engine.submit(unit)
        self.tally.in_flight.add(unit)

    def end(self, outcome: Outcome, *, is_halted: bool) -> None:
        """Record how a unit ended, and queue what follows from that."""
        unit = outcome.unit
        self.tally.in_flight.remove(unit)
        is_done = outcome.ending == "done"
        waits = is_done and unit in self.trials and self._hand_out(unit)
        self._order.ended(unit, finished=is_done and not (waits or is_halted))
        if waits:
            self._tries[unit] = 0
            left = len(self._waiting.get(unit, ()))
            _log_event(self.run, "waits", unit, f"for {left} samplings")
        elif _record_outcome(self.run, outcome, self._tries[unit], self.tally):
            self.tally.queue.append(unit)
        elif unit.kind == "samplings" and not is_halted:
            self._settle(unit)

    def with_new_points(self, units: Iterable[UnitId]) -> list[TrialSpec]:
        """The trials among units whose points files have grown since the last call."""
        grown = []
        for unit in units:
            if unit not in self.trials:
                continue
            size = self.run.unit(unit).points_size()
            if size != self._points_sizes.get(unit, 0):
                self._points_sizes[unit] = size
                grown.append(self.trials[unit])
        return grown

    def _hand_out(self, trial: UnitId) -> bool:
        """Queue what a trial has asked for since it was begun; False if it has not asked."""
        if self.run.unit(trial).samplings_size() == self._asked_sizes[trial]:
            return False
        asked = [
            each
            for each in open_samplings_of(self.run, self.trials[trial])
            if each.unit not in self._known
        ]
        for spec in reversed(asked):  # before all others: a search waits for them
            self._known[spec.unit] = spec
            self.tally.requested_by[spec.unit] = trial
            self.tally.queue.appendleft(spec.unit)
        if asked:
            self._waiting[trial] = {spec.unit for spec in asked}
        else:
            self.tally.queue.appendleft(trial)
        return True

    def _settle(self, sampling: UnitId) -> None:
        """A sampling has ended, well or not: its trial goes on once that holds for all of them."""
        self.tally.failed.pop(sampling, None)  # the trial does it itself, and says what fails
        trial = self.tally.requested_by[sampling]
        self._waiting[trial].discard(sampling)
        if not self._waiting[trial]:
            del self._waiting[trial]
            self.tally.queue.appendleft(trial)


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
    schedule = _Schedule(run, specs, engine, tally, clock)
    schedule.enqueue(schedule.trials.values())
    while tally.in_flight or (tally.queue and not halted()):
        while tally.queue and not halted() and len(tally.in_flight) < engine.slots:
            schedule.submit()
        on_tick()
        # Running trials may ask for retrainings. Their points are read when a slot is free or when
        # they end, and only if the files have grown.
        has_free_slot = not tally.queue and len(tally.in_flight) < engine.slots
        to_read = set(tally.in_flight) if has_free_slot else set()
        for outcome in engine.wait(tick_seconds):
            to_read.add(outcome.unit)
            schedule.end(outcome, is_halted=halted())
        schedule.enqueue(schedule.with_new_points(to_read))
    on_tick()


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

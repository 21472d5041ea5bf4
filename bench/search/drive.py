"""Runs a search: proposes trials, prunes them at rungs, and has their units done as a suite's.

By default this uses Optuna directly and not Ray Tune with its Optuna searcher (`tune_backend` uses
Tune, where it is asked for). Ray (or this process) does the units. The reasons, read in the code of
Ray 2.60 and measured with it:
- Tune's snapshots leave the scheduler out (`TuneController.__getstate__` drops `_scheduler_alg`),
  so ASHA forgets its rungs when a killed driver is resumed and then prunes by other rules;
- it makes a snapshot every 10 seconds, so it forgets trials that have ended since, and snapshots
  are pickles, which nobody should load from a directory that someone else may have written;
- its clock is set back when it is resumed, which hides work that was done twice; a Ctrl-C ends
  with exit code 0;
- one of its trials would do the folds of a suite one after the other in a single process.
Here nothing has to be restored: the metrics of units are read from their files, those of trials
from Optuna's journal, and everything else follows from the seed and the number of a trial.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import torch
from rich.console import Console

from augbench.bench.driver.display import Display
from augbench.bench.driver.halt import Halt
from augbench.bench.driver.plugins import keep_plugins
from augbench.bench.driver.prepare import prepare
from augbench.bench.driver.run_options import (
    RunOptions,
    check_run_options,
    make_engine,
    open_directory,
)
from augbench.bench.driver.schedule import Tally, work_through
from augbench.bench.engines.engine import Engine
from augbench.bench.engines.preflight import distinct_tasks
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import PlannedTrial, Suite
from augbench.bench.plan.tables import Resources
from augbench.bench.search.journal import Journal
from augbench.bench.search.rungs import RUNGS, best_valid_at, mean_valid, promoted, rung_step
from augbench.bench.search.sampler import propose
from augbench.bench.search.search import FILE, Search, record_search
from augbench.bench.search.space import Values, corners, grid
from augbench.bench.search.tell import Candidate, tell
from augbench.bench.search.tune_backend import TuneSearch, run_over_tune
from augbench.bench.search.tune_trial import n_steps
from augbench.bench.store.driver_lock import LOOK_SECONDS
from augbench.bench.store.files import DamagedError, append_line, hold_lock
from augbench.bench.store.provenance import provenance
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError


@dataclass
class _Driver:
    """The state of a search while its driver runs; none of it is needed to resume."""

    search: Search
    run: RunDirectory
    resources: Resources
    options: RunOptions
    console: Console
    journal: Journal
    points: list[Values]  # of a grid
    halt: Halt
    skipped: dict[UnitId, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    engine: Engine | None = None

    def do_batch(self, numbers: Sequence[int]) -> None:
        """Run the trials with these numbers to their ends, rung by rung."""
        note = {"time": time.time(), "event": "batch", "trials": list(numbers)}
        append_line(self.run.events_file, note, makes_file=False)
        running = [each for each in map(self._candidate, numbers) if each is not None]
        for rung in RUNGS if self.search.prune else RUNGS[-1:]:
            self._run_to_rung(running, rung)
            if self.halt():  # some units have paused before the rung
                return
            values = {each.number: self._values(each, rung) for each in running}
            # A trial with a failed unit stays unfinished; the same command tries it again.
            running = [each for each in running if values[each.number]]
            if rung == RUNGS[-1]:
                for each in running:
                    tell(self.run, self.journal, each, values[each.number], pruned=False)
            else:
                running = self._prune(running, values, rung, numbers[-1])

    def _candidate(self, number: int) -> Candidate | None:
        """The trial with a number, proposed if it is new; None if it has ended."""
        trials = self.journal.trials()
        if number == len(trials):
            self.journal.add(self._propose(number))
            trials = self.journal.trials()
        if trials[number].state.is_finished():
            return None
        plan = self.search.plan(trials[number].params, f"{self.search.method} #{number}")
        unfit = prepare(self.run, plan, self.options.data).skipped
        self.skipped |= unfit
        return Candidate(number, tuple(each for each in plan if each.spec.unit not in unfit))

    def _propose(self, number: int) -> Values:
        """Values from the results of the batches before; those of this batch count as running."""
        if self.points:
            return self.points[number]
        first = number - number % self.search.batch
        past = [
            trial if trial.number < first else self.journal.running(trial.params)
            for trial in self.journal.trials()
        ]
        search = self.search
        return propose(past, search.spaces, sampler=search.sampler, seed=search.seed)

    def _run_to_rung(self, running: Sequence[Candidate], rung: int) -> None:
        """Do the rest of the units up to a rung, on all workers."""
        plan = []
        for planned in (planned for each in running for planned in each.plan):
            if self._best_valid(planned, rung) is None:
                plan.append(planned)
                self.tally.failed.pop(planned.spec.unit, None)  # what is damaged is done again
                directory = self.run.add_unit(planned.spec.unit, planned.spec.to_json())
                directory.pause_after(rung_step(planned.spec, rung, self.options.data))
        if not plan:
            return
        if self.engine is None:
            tasks = distinct_tasks(planned.spec for planned in plan)
            self.engine = make_engine(
                self.run, self.resources, self.options, tasks=tasks, score_test=False
            )
        display = Display(self.run, plan, self.tally, self.console)
        specs = [planned.spec for planned in plan]
        with self.halt, display.show():  # after Ray, which handles signals of its own
            work_through(
                self.run, specs, self.engine, self.tally, halted=self.halt, on_tick=display.tick
            )

    def _values(self, candidate: Candidate, rung: int) -> list[float]:
        """The metrics of a trial's units at a rung; empty if one of them failed."""
        values = [self._best_valid(planned, rung) for planned in candidate.plan]
        known = [value for value in values if value is not None]
        return known if len(known) == len(values) else []

    def _best_valid(self, planned: PlannedTrial, rung: int) -> float | None:
        """The metric of a unit at a rung; None before it gets there, or if a file is damaged."""
        spec = planned.spec
        try:
            return best_valid_at(self.run, spec, rung_step(spec, rung, self.options.data))
        except DamagedError as error:
            self.tally.failed[spec.unit] = str(error)
            return None

    def _prune(
        self, running: Sequence[Candidate], values: dict[int, list[float]], rung: int, last: int
    ) -> list[Candidate]:
        """The trials of the batch that go on; the others end as pruned."""
        for each in running:
            self.journal.report(each.number, rung, mean_valid(values[each.number]).value)
        reached = {
            trial.number: trial.intermediate_values[rung]
            for trial in self.journal.trials()
            if rung in trial.intermediate_values and trial.number <= last
        }
        kept = promoted(reached)
        for each in running:
            if each.number not in kept:
                tell(self.run, self.journal, each, values[each.number], pruned=True)
        return [each for each in running if each.number in kept]

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()


def run_search(
    search: Search, n_trials: int | None, suite: Suite, options: RunOptions, console: Console
) -> Mapping[Any, str]:
    """Do what is missing of a search in its directory; returns what has failed, and why.

    Only the resources and the budget of the suite are used; the search has the rest. Raises a
    UserError for bad input, before any trial begins where that can be known.
    """
    resources = suite.resources
    check_run_options(options)
    if search.backend == "tune" and options.engine != "ray":
        raise UserError(f"--backend tune works over Ray: leave out --engine {options.engine}")
    torch.set_num_threads(max(1, int(resources.cpus)))
    points = grid(search.spaces, n_trials) if search.sampler == "grid" else []
    n_trials = len(points) or n_trials or 0
    run = open_directory(options.out, FILE)
    busy = f"{run.path} is in use by another driver"
    with hold_lock(run.path / "lock", busy, wait_seconds=LOOK_SECONDS):
        extremes = [search.plan(values, search.method) for values in corners(search.spaces)]
        transforms: set[str] = set()
        if not (run.path / FILE).exists():  # a search that is refused leaves nothing behind
            for plan in extremes:  # one by one: `prepare` builds each method of a plan once
                transforms |= prepare(run, plan, options.data).transforms
        record_search(run, search, n_trials)
        keep_plugins(run, extremes[0], transforms, console)
        details = {"time": time.time(), "event": "search", "trials": n_trials}
        append_line(run.events_file, {**details, **provenance(torch.device("cpu"))})
        journal = Journal(run.path, search.spaces)
        halt = Halt(run, console, options.stop_after_hours, suite.total_device_hours)
        if search.backend == "tune":
            longest = n_steps([trial for plan in extremes for trial in plan], options.data)
            over_tune = TuneSearch(
                run, search, n_trials, points, longest, options.data.resolve(), journal, halt
            )
            return _drive_tune(over_tune, resources, options)
        driver = _Driver(search, run, resources, options, console, journal, points, halt)
        try:
            for number in range(ceil(n_trials / search.batch)):
                if halt():
                    break
                first = number * search.batch
                driver.do_batch(range(first, min(first + search.batch, n_trials)))
        finally:
            driver.close()
        halt.conclude()
        for reason in dict.fromkeys(driver.skipped.values()):
            print_line(console, f"not searched on: {reason}")
    return driver.tally.failed


def _drive_tune(search: TuneSearch, resources: Resources, options: RunOptions) -> Mapping[Any, str]:
    trials = search.journal.trials()
    if sum(trial.state.is_finished() for trial in trials) >= search.n_trials:
        return {}
    plan = search.search.plan({}, search.search.method)
    tasks = distinct_tasks(planned.spec for planned in plan)
    # Tune does the units; of the engine it takes the Ray that is started and checked.
    engine = make_engine(search.run, resources, options, tasks=tasks, score_test=False)
    try:
        run_over_tune(search, resources)
    finally:
        engine.close()
    search.halt.conclude()
    return search.failed

"""``augbench search --backend tune``: Ray Tune begins, schedules and stops the trials of a search.

The journal is that of the default backend, and so are tables, figures and the fragment. Nothing is
restored from Tune: a search that is resumed is a new experiment of Tune, which goes on with the
trials that have not ended in the journal. Values come from `propose`. Trials are stopped by Tune's
`ASHAScheduler`, which is first told what the trials of the journal have reached.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from augbench.bench.driver.halt import Halt
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.plan.tables import Resources
from augbench.bench.search.journal import Journal
from augbench.bench.search.rungs import REDUCTION, RUNGS, best_valid_at, mean_valid, step_divisor
from augbench.bench.search.sampler import propose
from augbench.bench.search.search import Search
from augbench.bench.search.space import Values
from augbench.bench.search.tell import Candidate, tell
from augbench.bench.search.tune import Work, make_trainable
from augbench.bench.search.tune_trial import FOLDER, fitting
from augbench.bench.store.run_directory import RunDirectory

METRIC = {"metric": "valid", "mode": "max"}
_SETTINGS = {
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # `Halt` handles a Ctrl-C
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the files of the units hold it all
    "RAY_AIR_NEW_OUTPUT": "0",  # or it prints, although it is told not to
}


@dataclass
class TuneSearch:
    """A search while Tune runs it; none of it is needed to resume."""

    run: RunDirectory
    search: Search
    n_trials: int
    points: list[Values]  # of a grid
    n_steps: int  # of the longest trial
    data: Path
    journal: Journal
    halt: Halt
    failed: dict[str, str] = field(default_factory=dict)  # why, by the name of a trial
    numbers: dict[str, int] = field(default_factory=dict)  # of trials, by Tune's names for them
    n_seen: int = 0  # trials of the journal that Tune has got, or that had ended

    @property
    def first_step(self) -> int:
        """At which ASHA first stops trials: a ninth of the longest one."""
        return -(-self.n_steps // step_divisor(RUNGS[0]))

    def suggest(self, name: str) -> Values | None:
        """The values of the next trial that has not ended, old or new; None if there is none."""
        while self.n_seen < self.n_trials:
            number, self.n_seen = self.n_seen, self.n_seen + 1
            if number == len(self.journal.trials()):
                self.journal.add(self._propose(number))
            trial = self.journal.trials()[number]
            if not trial.state.is_finished():
                self.numbers[name] = number
                return trial.params
        return None

    def _propose(self, number: int) -> Values:
        if self.points:
            return self.points[number]
        past, search = self.journal.trials(), self.search
        return propose(past, search.spaces, sampler=search.sampler, seed=search.seed)

    def end(self, name: str, step: int) -> None:
        """Write down how a trial has ended: by itself, or stopped by Tune after a step."""
        number = self.numbers[name]
        values = self.journal.trials()[number].params
        plan = self.search.plan(values, self.search.method)
        plan = fitting(self.run, plan, self.data)
        done = all(self.run.unit(each.spec.unit).result() is not None for each in plan)
        for rung, at in self.rung_steps().items():
            if at <= step:
                self.journal.report(number, rung, mean_valid(self._values(plan, at)).value)
        values_at_end = self._values(plan, None if done else step)
        tell(self.run, self.journal, Candidate(number, plan), values_at_end, pruned=not done)

    def rung_steps(self) -> dict[int, int]:
        """The steps at which ASHA compares trials, by rung; none if it stops no trial."""
        rungs = RUNGS[:-1] if self.search.prune else ()
        return {rung: self.first_step * REDUCTION ** (rung - RUNGS[0]) for rung in rungs}

    def _values(self, plan: tuple[PlannedTrial, ...], step: int | None) -> list[float]:
        found = [best_valid_at(self.run, planned.spec, step) for planned in plan]
        known = [value for value in found if value is not None]
        assert len(known) == len(plan), "it has reported that step"
        return known


def run_over_tune(search: TuneSearch, resources: Resources) -> None:
    """Let Tune do what is missing of a search; Ray has been started or joined before."""
    from ray import tune

    os.environ.update(_SETTINGS)
    run = RunDirectory(search.run.path.resolve())
    every = search.first_step if search.search.prune else 0
    storage = run.path / FOLDER / "experiment"
    shutil.rmtree(storage, ignore_errors=True)
    tuner = tune.Tuner(
        make_trainable(Work(run, search.search, search.data, resources, every)),
        tune_config=tune.TuneConfig(
            search_alg=_proposals(search),
            scheduler=_scheduler(search),
            num_samples=search.n_trials,
            max_concurrent_trials=resources.workers,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name="search",
            storage_path=str(storage),
            stop=_limits(search),
            verbose=0,
            failure_config=tune.FailureConfig(max_failures=1),
        ),
    )
    with search.halt, _no_tracebacks():  # after Ray, which handles signals of its own
        results = tuner.fit()
    shutil.rmtree(storage, ignore_errors=True)
    if not search.halt():
        for result in results:
            if result.error is not None:
                search.failed[f"trial with {result.config}"] = _reason(result.error)


@contextmanager
def _no_tracebacks() -> Iterator[None]:
    """Keep Tune from printing one for each unit that fails, which the command names in the end."""
    logger = logging.getLogger("ray.tune")
    former = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(former)


def _proposals(search: TuneSearch) -> Any:
    """Tune's searcher: the trials of the journal, in which it notes how each has ended."""
    from ray.tune.search import Searcher

    class Proposals(Searcher):  # type: ignore[misc]
        def suggest(self, trial_id: str) -> Any:
            values = search.suggest(trial_id)
            return Searcher.FINISHED if values is None else values

        def on_trial_complete(
            self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
        ) -> None:
            if result and "step" in result and not error and not search.halt():
                search.end(trial_id, int(result["step"]))

        def save(self, checkpoint_path: str) -> None:
            """Nothing: the journal has it."""

        def __reduce__(self) -> Any:
            return _not_kept, ()

    return Proposals(**METRIC)


def _limits(search: TuneSearch) -> Any:
    """Tune's stopper: it stops everything when the driver is told to."""
    from ray import tune

    class Limits(tune.Stopper):  # type: ignore[misc]
        def __call__(self, trial_id: str, result: Mapping[str, Any]) -> bool:
            return False

        def stop_all(self) -> bool:
            return search.halt()

        def __reduce__(self) -> Any:
            return _not_kept, ()

    return Limits()


def _not_kept() -> None:
    """What Tune's snapshots, which nobody reads, hold in the place of what a search consists of."""


def _scheduler(search: TuneSearch) -> Any:
    """ASHA, which knows what the trials that have ended have reached."""
    from ray.tune.schedulers import ASHAScheduler, FIFOScheduler

    if not search.search.prune:
        return FIFOScheduler()
    asha = ASHAScheduler(
        time_attr="step",
        **METRIC,
        max_t=search.n_steps,
        grace_period=search.first_step,
        reduction_factor=REDUCTION,
    )
    for trial in search.journal.trials():
        if trial.state.is_finished():
            former = SimpleNamespace(trial_id=f"ended-{trial.number}")
            asha.on_trial_add(None, former)
            for rung, step in search.rung_steps().items():
                if rung in trial.intermediate_values:
                    reached = {"step": step, "valid": trial.intermediate_values[rung]}
                    asha.on_trial_result(None, former, reached)
    return asha


def _reason(error: Exception) -> str:
    """What a unit has said, without Ray's traceback."""
    cause = getattr(error, "cause", None)
    lines = str(cause or error).strip().splitlines() or [type(error).__name__]
    return lines[-1]

"""A trial of Ray Tune without Ray: the suite's trials of a method with some values, step by step.

What it has done is in the run directory, beside the units: ``tune/TRIAL.json`` holds its values,
the last step that it has reported, and what each unit has cost through it. Nothing else has to be
kept or restored.
"""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from augbench.bench.driver.prepare import prepare
from augbench.bench.engines.inline import attempt
from augbench.bench.plan.spec import EvaluationSpec, TrialSpec, UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.search.rungs import best_valid_at, mean_valid, unit_charge
from augbench.bench.search.search import Search
from augbench.bench.search.space import ALIASES, Value, Values
from augbench.bench.store.accounts import Charge, add_charges
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError, hold_lock, read_if_there, write_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.job import load_task
from augbench.datasets.errors import UserError, UserNotice

FOLDER = "tune"  # in the run directory
N_REPORTS = 30  # of a trial, at most, unless it is told after how many steps to report


class _Record(TypedDict):
    """What the run directory keeps of a trial of Tune."""

    values: dict[str, Any]
    step: int  # the last one that was reported
    charges: dict[str, tuple[float, int, int]]  # seconds, samples; by unit


_RECORD = TypeAdapter(_Record)


class Report(NamedTuple):
    """What a trial tells Tune."""

    valid: float  # the mean over its units of the best validation metric up to the step
    step: int  # of each unit; one that has ended before counts with its best
    device_hours: float  # that this trial was charged, and no other
    samples: int  # forward and backward
    done: bool  # whether all units have ended


class TuneTrial:
    """The units of a trial, all brought to one step after the other.

    The folds of a suite, its tasks and its seeds, are done in turn, each up to the same step, where
    it pauses at a checkpoint. Trials with equal values share units: what one has done, another one
    reads, and only the first is charged for it.
    """

    def __init__(
        self, run: RunDirectory, search: Search, name: str, values: Values, host: Host, every: int
    ) -> None:
        """``every`` is the number of steps between reports; 0 for N_REPORTS of them at most.

        Raises a UserError for values that the method does not take, and if the trial of this name
        has begun with others.
        """
        self._run, self._host = run, host
        self._file = run.path / FOLDER / f"{name}.json"
        self._record = self._read(values)
        self._plan = fitting(run, search.plan(values, search.method), host.data)
        self._in_steps = search.prune  # otherwise there is a metric only at the end
        self._n_steps = n_steps(self._plan, host.data)
        self._every = every or -(-self._n_steps // N_REPORTS)

    def advance(self) -> Report:
        """Bring all units to the next step, and keep what is reported.

        Raises a UserError that names the unit if one fails: a later call tries it again.
        """
        last = self._record["step"]
        aim = last + self._every
        step = aim if self._in_steps and aim < self._n_steps else None
        had_ended = self._n_steps_done() is not None
        values = [self._advance_unit(planned.spec, step) for planned in self._plan]
        n_done = self._n_steps_done()
        done = n_done is not None and (step is None or n_done <= aim)
        if n_done is not None and done:
            # It may have ended without another step: its loss is not a number, or it is restored.
            aim = max(1, n_done, last if had_ended else last + 1)
        self._record["step"] = aim
        self._write()
        own = add_charges(*(Charge(*each) for each in self._record["charges"].values()))
        valid, _ = mean_valid(values)
        return Report(valid, aim, own.seconds / 3600, own.forward + own.backward, done)

    def _n_steps_done(self) -> int | None:
        """How many steps the longest unit has done, once all have ended."""
        results = [self._run.unit(planned.spec.unit).result() for planned in self._plan]
        steps = [int(result["steps"]) for result in results if result is not None]
        return max(steps) if len(steps) == len(results) else None

    def _advance_unit(self, spec: TrialSpec, step: int | None) -> float:
        """Do a unit up to a step, unless that is done; returns its metric there."""
        self._do(spec, step)
        rows = self._run.unit(spec.unit).points()
        for evaluation in evaluations(self._run, spec, rows):
            self._do(evaluation, None)
        value = best_valid_at(self._run, spec, step)
        if value is None:
            raise UserError(f"{spec.unit} has paused, because its driver stops")
        return value

    def _do(self, spec: TrialSpec | EvaluationSpec, step: int | None) -> None:
        """Do a trial or a retraining of the suite up to a step; ``step`` None is its end."""
        unit = spec.unit
        lock = self._file.with_name(f"{unit.digest}.lock")
        with hold_lock(lock, f"another trial works on {unit}", wait_seconds=inf):
            if not self._is_at(unit, step):
                directory = self._run.add_unit(unit, spec.to_json())
                directory.pause_after(step)
                outcome = attempt(self._run, unit, self._host)
                if outcome.ending != "done":
                    raise UserError(f"{unit} {outcome.ending}: {outcome.reason}")
            self._claim(unit)

    def _is_at(self, unit: UnitId, step: int | None) -> bool:
        directory = self._run.unit(unit)
        try:
            rows = directory.points()
            for row in rows:
                if row["kind"] == "policy":
                    directory.policy(row)
            ended = directory.check() is not None
        except DamagedError:  # it is set aside and done again
            return False
        return ended or (step is not None and bool(rows) and rows[-1]["step"] >= step)

    def _claim(self, unit: UnitId) -> None:
        """Take what the unit has cost and no other trial was charged for.

        What a killed trial had no time to note is taken by the first that goes on with the unit.
        """
        name = str(unit)
        taken = add_charges(*(Charge(*other[name]) for other in self._others() if name in other))
        total = unit_charge(self._run.unit(unit))
        self._record["charges"][name] = (
            max(0.0, total.seconds - taken.seconds),
            max(0, total.forward - taken.forward),
            max(0, total.backward - taken.backward),
        )
        self._write()

    def _others(self) -> Iterator[Mapping[str, tuple[float, int, int]]]:
        for file in sorted(self._file.parent.glob("*.json")):
            if file != self._file and (record := _read_record(file)):
                yield record["charges"]

    def _read(self, values: Values) -> _Record:
        record = _read_record(self._file)
        if record is None:
            return {"values": dict(values), "step": 0, "charges": {}}
        if record["values"] != values:
            raise UserError(
                f"{_abbreviate(record['values'])} became {_abbreviate(values)} within a trial: "
                + NO_PERTURBATION
            )
        return record

    def _write(self) -> None:
        write_json(self._file, dict(self._record))


def _read_record(file: Path) -> _Record | None:
    try:
        return read_if_there(file, _RECORD)
    except DamagedError as error:
        raise DamagedError(
            f"{error}: move it away and go on; the trials that share its units are charged for them"
        ) from None


NO_PERTURBATION = (
    "a scheduler that changes options in mid-trial, as PBT does, cannot be used, because such a "
    "trial mixes the training and the costs of several values, and no suite can run it again; use "
    "ASHAScheduler, HyperBandScheduler or MedianStoppingRule"
)


def fitting(
    run: RunDirectory, plan: tuple[PlannedTrial, ...], data: Path
) -> tuple[PlannedTrial, ...]:
    """The trials of a plan whose method fits their task; checks all values on the data.

    Raises a UserError for a value that the method refuses, and if nothing of the plan fits.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserNotice)  # the driver has said it
        unfit = prepare(run, plan, data).skipped
    return tuple(planned for planned in plan if planned.spec.unit not in unfit)


def values_of(config: Mapping[str, Any]) -> Values:
    """The options in the configuration of a trial of Tune, as a suite takes them.

    Inner tables become keys with a dot, as ``training.learning_rate``; numbers of numpy become
    Python's, and "lambda" is "penalty". Raises a UserError for anything that TOML has not.
    """
    return {ALIASES.get(key, key): _plain(key, value) for key, value in _flat(config)}


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _plain(key: str, value: Any) -> Value:
    value = value.tolist() if hasattr(value, "tolist") else value
    try:
        plain: Value = json.loads(json.dumps(value))
    except TypeError:
        raise UserError(
            f"param_space gives {key!r} a {type(value).__name__}; an option takes a number, a "
            "truth value, a word, or a list of these"
        ) from None
    return plain


def n_steps(plan: Iterable[PlannedTrial], data: Path) -> int:
    """After how many steps the units of an end-to-end method have ended at the latest."""
    specs = [planned.spec for planned in plan]
    limits = [(load_task(spec.task, data).training.epochs, spec.budget.steps) for spec in specs]
    return max(min(epochs, steps or epochs) for epochs, steps in limits)


def _abbreviate(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
    )

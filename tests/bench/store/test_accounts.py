"""The accounts of a unit balance to the millisecond, whatever became of its attempts."""

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import forked
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.accounts import accounting_error, charged
from augbench.bench.store.attempt_log import lifetime, pulse
from augbench.bench.store.files import append_line, read_json, write_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit

MILLISECOND = 1e-3

KILLED_AFTER = """
import json, os, signal, sys
from pathlib import Path
from augbench.bench.unit import work, worker
from augbench.bench.unit.host import Host
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.run_directory import RunDirectory

folder, record, n_steps = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
advance, done = worker.Worker._advance, 0

def dies(self):
    global done
    if done == n_steps:
        os.kill(os.getpid(), signal.SIGKILL)
    done += 1
    return advance(self)

worker.Worker._advance = dies
spec = TrialSpec.from_json(record)
work.do_unit(RunDirectory(folder), spec.unit, Host(folder))
"""


@pytest.fixture
def trial(small_suite: Path) -> TrialSpec:
    spec = load_suite(small_suite).plan[0].spec
    task = replace(spec.task, training={"epochs": 8, "patience": 8})
    return replace(spec, task=task)


@pytest.fixture
def run(tmp_path: Path, trial: TrialSpec) -> RunDirectory:
    (tmp_path / "run").mkdir()
    run = RunDirectory(tmp_path / "run")
    run.add_unit(trial.unit, trial.to_json())
    return run


def killed_after(run: RunDirectory, trial: TrialSpec, n_steps: int) -> None:
    """An attempt that a SIGKILL ends after so many steps."""
    words = [sys.executable, "-c", KILLED_AFTER, run.path, json.dumps(trial.to_json()), n_steps]
    died = forked.run(list(map(str, words)))
    assert died.returncode == -signal.SIGKILL, died.stderr


def finished(run: RunDirectory, trial: TrialSpec) -> tuple[UnitDirectory, dict[str, Any]]:
    """The unit, worked on to its end, and its result."""
    do_unit(run, trial.unit, Host(run.path))
    directory = run.unit(trial.unit)
    result = directory.result()
    assert result is not None
    return directory, result


def test_undisturbed(run: RunDirectory, trial: TrialSpec) -> None:
    directory, result = finished(run, trial)
    assert result["wasted"] == {"seconds": 0.0, "attempts": 0}
    assert abs(accounting_error(directory)) < MILLISECOND
    end = directory.attempts()[0].log()[-1]
    assert 0 < end["measured"] <= end["lived"]


@pytest.mark.parametrize("steps", [(3,), (0,), (2, 3), (2, 0, 1)])
def test_killed_in_between(run: RunDirectory, trial: TrialSpec, steps: tuple[int, ...]) -> None:
    for n_steps in steps:
        killed_after(run, trial, n_steps)
    directory, result = finished(run, trial)
    assert result["wasted"]["attempts"] == len(steps)
    assert result["wasted"]["seconds"] >= 0
    assert abs(accounting_error(directory)) < MILLISECOND
    lived = sum(map(lifetime, directory.attempts()[:-1]))
    if sum(steps):
        assert 0 < result["wasted"]["seconds"] < lived  # what checkpoints have kept is not lost


def test_no_ledger_holds_more_than_is_known_to_be_lived(
    run: RunDirectory,
    trial: TrialSpec,
    interrupted: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even where no beat but those before checkpoints ever came."""
    monkeypatch.setattr("augbench.bench.store.attempt.PULSE_SECONDS", 3600.0)
    interrupted(lambda: finished(run, trial), at=4)
    attempt = run.unit(trial.unit).attempts()[0]
    lines = attempt.log()
    attempt.log_file.unlink()  # as if it had been killed
    for line in lines[:-1]:
        append_line(attempt.log_file, line)
    directory, result = finished(run, trial)
    assert abs(accounting_error(directory)) < MILLISECOND
    assert (
        result["wasted"]["seconds"] == lifetime(attempt) - directory.attempts()[1].log()[1]["kept"]
    )


@pytest.mark.parametrize("rung", [3, None])
def test_paused(run: RunDirectory, trial: TrialSpec, rung: int | None) -> None:
    directory = run.unit(trial.unit)
    if rung is None:
        run.halt_file.touch()
    directory.pause_after(rung)
    do_unit(run, trial.unit, Host(run.path))
    assert directory.result() is None
    if rung is not None:  # what it was charged is told without its checkpoint
        beat, row = pulse(directory.attempts()[0]), directory.points()[-1]
        assert beat["step"] == row["step"] == rung
        assert beat["charged_seconds"] == charged(row["costs"]).seconds > 0
    directory.pause_after(None)
    run.halt_file.unlink(missing_ok=True)
    _, result = finished(run, trial)
    if rung is not None:  # where it had done something
        assert result["wasted"]["seconds"] < MILLISECOND
    assert abs(accounting_error(directory)) < MILLISECOND


def test_failed_and_killed(
    run: RunDirectory, trial: TrialSpec, interrupted: Callable[..., None]
) -> None:
    interrupted(lambda: finished(run, trial), at=3)
    killed_after(run, trial, 2)
    directory, result = finished(run, trial)
    assert result["wasted"]["attempts"] == 2
    assert abs(accounting_error(directory)) < MILLISECOND


def test_killed_after_its_result(run: RunDirectory, trial: TrialSpec) -> None:
    killed_after(run, trial, 3)
    directory, _ = finished(run, trial)
    log = directory.attempts()[-1].log_file
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    assert abs(accounting_error(directory)) < MILLISECOND


def test_a_second_that_nobody_spent_is_seen(run: RunDirectory, trial: TrialSpec) -> None:
    directory, result = finished(run, trial)
    result["costs"]["search"]["seconds"] += 1.0
    write_json(directory.result_file, sealed(result))
    assert accounting_error(directory) == pytest.approx(1.0)
    assert read_json(directory.result_file)["attempt"] == 1

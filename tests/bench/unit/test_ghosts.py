"""Processes that were cut off and come back when others have gone on in their place."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import augbench.bench.unit.work
import augbench.bench.unit.worker
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import load_suite
from augbench.bench.store import checkpoint
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.attempt import Attempt, SupersededError
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.attempt_log import LEASE_SECONDS, pulse
from augbench.bench.store.files import (
    append_line,
    read_json,
    replace_json,
    write_json,
    write_json_once,
)
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.datasets.errors import UserError
from augbench.methods.training.end_to_end import EndToEnd
from by_hand import model_row
from processes import wait_until

N_EPOCHS = 12

SLOW = """
import json, sys, time
from pathlib import Path
from augbench.bench.unit import work
from augbench.bench.unit.host import Host
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.run_directory import RunDirectory
from augbench.methods.training.end_to_end import EndToEnd

folder, record, seconds = Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
step = EndToEnd.step

def slow(self):
    time.sleep(seconds)
    return step(self)

EndToEnd.step = slow
spec = TrialSpec.from_json(record)
try:
    work.do_unit(RunDirectory(folder), spec.unit, Host(folder, checkpoint_seconds=0.0))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def trial(small_suite: Path) -> TrialSpec:
    spec = load_suite(small_suite).plan[0].spec
    training = {"epochs": N_EPOCHS, "patience": N_EPOCHS}
    return replace(spec, task=replace(spec.task, training=training))


def begun(folder: Path, trial: TrialSpec) -> RunDirectory:
    """A run directory of one unit on which nobody has worked."""
    folder.mkdir()
    run = RunDirectory(folder)
    run.add_unit(trial.unit, trial.to_json())
    return run


@pytest.fixture
def run(tmp_path: Path, trial: TrialSpec) -> RunDirectory:
    return begun(tmp_path / "run", trial)


@pytest.fixture
def undisturbed(tmp_path: Path, trial: TrialSpec) -> UnitDirectory:
    whole = begun(tmp_path / "whole", trial)
    do_unit(whole, trial.unit, Host(whole.path, checkpoint_seconds=0.0))
    return whole.unit(trial.unit)


@contextmanager
def worker(run: RunDirectory, trial: TrialSpec, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that works on the trial, so many seconds longer on each step."""
    words = [sys.executable, "-c", SLOW, str(run.path), json.dumps(trial.to_json()), str(seconds)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_points(attempts: int, n_points: int, directory: UnitDirectory) -> None:
    """Until the newest of so many attempts has published so many points."""

    def there() -> bool:
        found = directory.attempts()
        return len(found) == attempts and n_lines(found[-1]) >= n_points

    wait_until(there)


def n_lines(attempt: AttemptDirectory) -> int:
    file = attempt.points_file
    return file.read_text().count("\n") if file.exists() else 0


def freeze(process: subprocess.Popen[str], directory: UnitDirectory) -> None:
    """Stop a process, and let its lock be worth nothing, as on a file system that has none."""
    process.send_signal(signal.SIGSTOP)
    (directory.path / "lock").unlink()


def contents(directory: UnitDirectory, but: AttemptDirectory) -> dict[Path, bytes]:
    """Every byte below a unit's folder, but for one attempt's."""
    return {
        file: file.read_bytes()
        for file in directory.path.rglob("*")
        if file.is_file() and but.path not in file.parents
    }


def comes_to(directory: UnitDirectory) -> tuple[list[dict[str, Any]], str]:
    """What of a unit the clock has no say in: its rows, and the digest of its weights."""
    result = directory.result()
    assert result is not None
    rows = [{k: v for k, v in row.items() if k != "costs"} for row in directory.points()]
    return rows, result["weights"]


def assert_ghost_gave_up(process: subprocess.Popen[str], ghost: AttemptDirectory) -> None:
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert complaint.startswith("SupersededError: a newer attempt on "), complaint
    assert f"this one, process {process.pid} on {os.uname().nodename}, stops" in complaint
    assert ghost.log()[-1]["error"] == "SupersededError"


def assert_whole(directory: UnitDirectory, undisturbed: UnitDirectory) -> None:
    assert comes_to(directory) == comes_to(undisturbed)
    file, result = directory.model_file(), directory.result()
    assert file is not None
    assert result is not None
    assert checkpoint.read(file)["digest"] == result["weights"]
    assert abs(accounting_error(directory)) < 1e-3


def test_a_ghost_that_comes_back_when_all_is_done_changes_not_a_byte(
    run: RunDirectory, trial: TrialSpec, undisturbed: UnitDirectory
) -> None:
    directory = run.unit(trial.unit)
    with worker(run, trial, 0.2) as process:
        wait_for_points(1, 3, directory)
        freeze(process, directory)
        with worker(run, trial, 0.0) as newer:
            assert newer.wait(timeout=120) == 0
        ghost, other = directory.attempts()
        before = contents(directory, but=ghost)
        assert {directory.result_file, other.points_file, other.model_file} < set(before)
        process.send_signal(signal.SIGCONT)
        assert_ghost_gave_up(process, ghost)
    assert contents(directory, but=ghost) == before
    assert_whole(directory, undisturbed)


def test_a_ghost_that_comes_back_while_the_newer_attempt_works_changes_nothing(
    run: RunDirectory, trial: TrialSpec, undisturbed: UnitDirectory
) -> None:
    directory = run.unit(trial.unit)
    with worker(run, trial, 0.2) as process:
        wait_for_points(1, 3, directory)
        freeze(process, directory)
        ghost = directory.attempts()[0]
        had = n_lines(ghost)
        with worker(run, trial, 0.6) as newer:  # which is long at work when the ghost looks
            wait_for_points(2, 1, directory)
            process.send_signal(signal.SIGCONT)
            assert_ghost_gave_up(process, ghost)
            assert newer.poll() is None
            assert directory.result() is None
            assert newer.wait(timeout=120) == 0
    assert n_lines(ghost) == had
    assert not list(ghost.path.glob("*.pt"))  # the newer one has had its first checkpoint
    assert_whole(directory, undisturbed)


@pytest.mark.parametrize("has_ended", [True, False])
def test_a_ghost_at_the_very_end_makes_no_result(
    run: RunDirectory, trial: TrialSpec, monkeypatch: pytest.MonkeyPatch, has_ended: bool
) -> None:
    """It has looked for a newer attempt, found none, and been cut off before its next word."""
    directory = run.unit(trial.unit)
    finish, do = augbench.bench.unit.worker.write_json_once, augbench.bench.unit.work.do_unit

    def late(file: Path, record: dict[str, Any], draft: Path) -> bool:
        monkeypatch.setattr(augbench.bench.unit.worker, "write_json_once", finish)
        (directory.path / "lock").unlink()
        if has_ended:
            do(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
        else:
            Attempt(directory, Ledger(), device=torch.device("cpu"), shared=False)
        return finish(file, record, draft)

    monkeypatch.setattr(augbench.bench.unit.worker, "write_json_once", late)
    with pytest.raises(SupersededError, match="a newer attempt on"):
        do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    assert (directory.result() is not None) == has_ended
    do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    result = directory.result()
    assert result is not None
    assert result["attempt"] == (2 if has_ended else 3)
    assert abs(accounting_error(directory)) < 1e-3


@pytest.mark.parametrize("fenced", [False, True])
def test_the_first_result_stays(tmp_path: Path, fenced: bool) -> None:
    unit = UnitDirectory(tmp_path)
    first, second = unit.begin_attempt(), unit.begin_attempt()
    if fenced:
        replace_json(first.draft_file, {"attempt": 1})
        first.fence()
        first.fence()
        assert not write_json_once(unit.result_file, {"attempt": 1}, first.draft_file)
        assert unit.result() is None
    assert write_json_once(unit.result_file, {"attempt": 2}, second.draft_file)
    assert not write_json_once(unit.result_file, {"attempt": 1}, first.draft_file)
    assert read_json(unit.result_file) == {"attempt": 2}


def test_no_two_attempts_have_one_folder(tmp_path: Path) -> None:
    unit = UnitDirectory(tmp_path)
    found: list[int] = []

    def begin() -> None:
        for _ in range(20):
            found.append(unit.begin_attempt().number)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 81))


def test_of_a_point_that_two_attempts_publish_the_newer_ones_row_counts(tmp_path: Path) -> None:
    unit = UnitDirectory(tmp_path)
    first, second = unit.begin_attempt(), unit.begin_attempt()
    sizes = [unit.points_size()]
    for attempt, point in ((second, 2), (first, 1), (first, 2), (second, 3)):
        append_line(attempt.points_file, model_row(point, by=attempt.number))
        sizes.append(unit.points_size())
    assert [(row["point"], row["by"]) for row in unit.points()] == [(1, 1), (2, 2), (3, 2)]
    assert sizes == sorted(set(sizes))


@pytest.fixture
def elsewhere(run: RunDirectory, trial: TrialSpec) -> Iterator[AttemptDirectory]:
    """The attempt of a live process on another machine, as its files tell, whose lock is void."""
    directory = run.unit(trial.unit)
    with worker(run, trial, 2.0):
        wait_for_points(1, 1, directory)
        attempt = directory.attempts()[0]
        wait_until(lambda: bool(pulse(attempt)))
        log = attempt.log_file
        log.write_text(log.read_text().replace(os.uname().nodename, "elsewhere"))
        (directory.path / "lock").unlink()
        yield attempt


def test_a_process_elsewhere_that_beats_is_left_alone_and_one_that_does_not_is_followed(
    run: RunDirectory,
    trial: TrialSpec,
    elsewhere: AttemptDirectory,
    undisturbed: UnitDirectory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory = run.unit(trial.unit)
    monkeypatch.setattr(augbench.bench.unit.work, "GHOST_SECONDS", 8.0)
    monkeypatch.setattr("augbench.bench.store.attempt_log.LEASE_SECONDS", 6.0)
    process = elsewhere.log()[0]["process"]
    busy = f"another process works on {trial.unit} .process {process} on elsewhere is alive"
    with pytest.raises(UserError, match=busy):
        do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    assert directory.attempts() == [elsewhere]
    os.kill(process, signal.SIGKILL)
    monkeypatch.setattr(augbench.bench.unit.work, "GHOST_SECONDS", 60.0)
    monkeypatch.setattr("augbench.bench.store.attempt_log.LEASE_SECONDS", LEASE_SECONDS)
    began = time.monotonic()
    do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    assert time.monotonic() - began >= LEASE_SECONDS
    assert_whole(directory, undisturbed)


@pytest.mark.parametrize("n_steps", [0, 2])
def test_a_run_directory_that_is_gone_is_not_made_again(
    run: RunDirectory, trial: TrialSpec, monkeypatch: pytest.MonkeyPatch, n_steps: int
) -> None:
    step, done = EndToEnd.step, 0

    def unmounts(self: EndToEnd) -> bool:
        nonlocal done
        if done == n_steps:
            run.path.rename(run.path.with_name("away"))
        done += 1
        return step(self)

    monkeypatch.setattr(EndToEnd, "step", unmounts)
    with pytest.raises(FileNotFoundError):
        do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    with pytest.raises(FileNotFoundError):
        do_unit(run, trial.unit, Host(run.path, checkpoint_seconds=0.0))
    with pytest.raises(FileNotFoundError):
        run.add_unit(trial.unit, trial.to_json())
    for write in (append_line, replace_json, write_json):
        with pytest.raises(FileNotFoundError):
            write(run.events_file, {"event": "lost"})
    assert not run.path.exists()

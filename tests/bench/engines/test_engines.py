"""One suite through every engine, undisturbed and under kill -9, in real processes."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from processes import background, wait_until
from runs import timeless

Run = Callable[..., subprocess.CompletedProcess[str]]

SUITE = """
name = "engines"
folds = 1
[tasks.sinusoids]
n_train = 100
n_test = 20
training = { epochs = 8, patience = 8 }
[methods.none]
[methods.random_policy]
n_policies = 1
[methods.augnet]
layers = [["frequency_shift", "gaussian_noise"]]
[methods.autoaugment]
n_samplings = 4
samplings_per_point = 2
child_epochs = 3
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "engines.toml"
    file.write_text(SUITE)
    return file


@pytest.fixture(scope="module")
def undisturbed(suite: Path, augbench: Run) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What the reference engine gives."""
    done = augbench("run", suite, "--engine", "inline", "--out", suite.parent / "inline")
    assert done.returncode == 0, done.stderr
    points, weights = timeless(suite.parent / "inline")
    assert len(points) == 8 + 1 + 8 + 2
    return points, weights


@pytest.mark.parametrize("workers", [1, 2])
def test_ray_gives_the_bits_of_the_inline_engine(
    suite: Path, augbench: Run, undisturbed: Any, workers: int, tmp_path: Path
) -> None:
    done = augbench("run", suite, "--workers", str(workers), "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert timeless(tmp_path) == undisturbed


@pytest.mark.parametrize("method", ["augnet", "autoaugment"])
def test_a_worker_that_is_killed_costs_nothing_but_time(
    method: str,
    suite: Path,
    command_line: Callable[..., list[str]],
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    words = command_line("run", suite, "--out", tmp_path)
    with background(words, log_of(tmp_path), slow()) as process:
        kill_worker(tmp_path, method)
        assert process.wait(timeout=300) == 0
    assert timeless(tmp_path) == undisturbed
    assert_wasted_once(tmp_path, method)


def test_a_retraining_that_is_killed_costs_nothing_but_time(
    suite: Path,
    command_line: Callable[..., list[str]],
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    words = command_line("run", suite, "--out", tmp_path)
    with background(words, log_of(tmp_path), slow()) as process:
        wait_until(lambda: bool(beating(tmp_path, "evaluations")))
        attempt = beating(tmp_path, "evaluations")[0]
        os.kill(json.loads(attempt.read_text().splitlines()[0])["process"], signal.SIGKILL)
        assert process.wait(timeout=300) == 0
    assert timeless(tmp_path) == undisturbed
    assert len(list(attempt.parents[1].glob("*"))) == 2


def test_a_driver_that_is_killed_is_carried_on_by_the_same_command(
    suite: Path,
    command_line: Callable[..., list[str]],
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    words = command_line("run", suite, "--out", tmp_path)
    with background(words, log_of(tmp_path), slow()) as process:
        wait_for_step(tmp_path, "autoaugment")
        process.kill()
    with background(words, log_of(tmp_path)) as process:
        assert process.wait(timeout=300) == 0
    assert timeless(tmp_path) == undisturbed
    assert_wasted_once(tmp_path, "autoaugment")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_driver_says_so_and_leaves_no_process(
    number: int, suite: Path, command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    words = command_line("run", suite, "--out", tmp_path)
    with background(words, log_of(tmp_path), slow()) as process:
        wait_for_step(tmp_path, "none")
        worker = started(tmp_path, "none")["process"]
        process.send_signal(number)
        assert process.wait(timeout=60) == 130
    assert "the same command resumes the run" in log_of(tmp_path).read_text()
    wait_until(lambda: not Path(f"/proc/{worker}").exists())


def test_a_finished_run_is_left_as_it_is(suite: Path, augbench: Run, undisturbed: Any) -> None:
    out = suite.parent / "inline"
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.jsonl")}
    done = augbench("run", suite, "--out", out)
    assert done.returncode == 0
    assert "nothing left to run" in done.stdout
    assert {file: file.stat().st_mtime_ns for file in out.rglob("*.jsonl")} == before


def slow() -> dict[str, str]:
    """The environment in which units wait in each step from their second on.

    So nobody is too late to kill one, and the ghost of a killed driver's worker cannot finish it.
    """
    return {**os.environ, "AUGBENCH_FAULT": "slow@step:2"}


def log_of(out: Path) -> Path:
    """Beside a run directory, which has to be empty at first."""
    return out.with_name(out.name + "-log")


def unit_folder(out: Path, method: str) -> Path:
    """The folder of the trial of a method, once the driver has planned it."""
    found: list[Path] = []

    def look() -> bool:
        found[:] = [
            file.parent
            for file in out.glob("trials/*/spec.json")
            if json.loads(file.read_text())["method"] == method
        ]
        return bool(found)

    wait_until(look)
    return found[0]


def wait_for_step(out: Path, method: str, step: int = 2) -> Path:
    """The folder of a trial that has come that far."""
    folder = unit_folder(out, method)

    def far_enough() -> bool:
        assert not (folder / "result.json").exists(), "too late to kill it"
        return any(
            json.loads(file.read_text()).get("step", 0) >= step
            for file in folder.glob("attempts/*/pulse.json")
        )

    wait_until(far_enough)
    return folder


def beating(out: Path, kind: str) -> list[Path]:
    """The attempts at unfinished units that have come to their second step."""
    return [
        file.with_name("log.jsonl")
        for file in out.glob(f"{kind}/*/attempts/*/pulse.json")
        if json.loads(file.read_text()).get("step", 0) >= 2
        and not (file.parents[2] / "result.json").exists()
    ]


def kill_worker(out: Path, method: str) -> None:
    wait_for_step(out, method)
    os.kill(started(out, method)["process"], signal.SIGKILL)


def started(out: Path, method: str) -> dict[str, Any]:
    return lines(unit_folder(out, method))[0]


def lines(folder: Path) -> list[dict[str, Any]]:
    attempts = sorted(folder.glob("attempts/*/log.jsonl"))
    if not attempts:
        return []
    whole = attempts[-1].read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def assert_wasted_once(out: Path, method: str) -> None:
    """The killed trial has two attempts, and what the first one lost is on record, uncharged."""
    folder = unit_folder(out, method)
    assert len(list(folder.glob("attempts/*"))) == 2
    run, suite = open_run(out)
    wasted = {t["method"]: t["wasted_seconds"] for t in read_trials(run, suite.plan)}
    assert wasted[method] > 0
    rows = [
        json.loads(line)
        for file in sorted(folder.glob("attempts/*/points.jsonl"))
        for line in file.read_text().splitlines()
    ]
    assert [row["point"] for row in rows] == list(range(1, len(rows) + 1))

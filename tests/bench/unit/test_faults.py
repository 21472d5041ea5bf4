"""What goes wrong, made to go wrong: in real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forked
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.attempt_log import lifetime
from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import read_trials
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.unit.fault import KINDS
from processes import background, wait_until
from runs import timeless

SUITE = """
name = "faults"
folds = 1
[tasks.sinusoids]
n_train = 100
n_test = 20
training = { epochs = 16, patience = 16 }
[methods.none]
[methods.autoaugment]
n_samplings = 2
samplings_per_point = 2
child_epochs = 8
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "faults.toml"
    file.write_text(SUITE)
    return file


@pytest.fixture(scope="module")
def run(suite: Path, command_line: Callable[..., list[str]]) -> Callable[..., Any]:
    """Runs the suite into a folder, with a fault if one is named; in one process, quickly."""

    def start(
        out: Path, *words: str, fault: str = "", engine: str = "inline"
    ) -> subprocess.CompletedProcess[str]:
        line = command_line("run", suite, "--out", out, "--engine", engine, *words)
        return forked.run(line, suffering(fault) if fault else None)

    return start


def suffering(fault: str) -> dict[str, str]:
    """The environment of a command whose units suffer it."""
    return {**os.environ, "AUGBENCH_FAULT": fault}


@pytest.fixture(scope="module")
def undisturbed(run: Any, suite: Path) -> Any:
    done = run(suite.parent / "inline")
    assert done.returncode == 0, done.stderr
    return timeless(suite.parent / "inline")


def states(out: Path) -> dict[str, int]:
    directory, suite = open_run(out)
    found: dict[str, int] = {}
    for trial in read_trials(directory, suite.plan):
        found[trial["state"]] = found.get(trial["state"], 0) + 1
    return found


@pytest.mark.parametrize("kind", ["kill", "error", "memory", "torn", "slow", "hang"])
def test_what_can_be_tried_again_is_and_comes_to_the_same_bits(
    kind: str, run: Any, undisturbed: Any, tmp_path: Path
) -> None:
    step = 14 if kind == "slow" else 3
    engine = "ray" if kind in ("kill", "torn", "hang") else "inline"  # which would die with them
    limit = ("--set", "resources.hang_minutes=0.2", "--workers", "1")
    done = run(tmp_path, *limit, fault=f"{kind}@step:{step}", engine=engine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert timeless(tmp_path) == undisturbed
    attempts = {len(list(unit.glob("attempts/*"))) for unit in tmp_path.glob("*/*/")}
    assert attempts == ({1} if kind == "slow" else {2})


def test_a_clock_that_is_set_back_changes_no_account(
    run: Any, undisturbed: Any, tmp_path: Path
) -> None:
    done = run(tmp_path, fault="clock@step:3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "were wasted" not in done.stdout
    assert timeless(tmp_path) == undisturbed
    assert states(tmp_path) == {"done": 2}
    units = [UnitDirectory(file.parent) for file in tmp_path.glob("*/*/result.json")]
    jumps = 0
    for unit in units:
        assert abs(accounting_error(unit)) < 1e-3
        result, (attempt,) = unit.result(), unit.attempts()
        assert result is not None
        assert result["wasted"]["seconds"] == 0
        measured = sum(cost["seconds"] for cost in result["costs"].values())
        assert measured <= lifetime(attempt) < 3600
        start, *_, end = attempt.log()
        jumps += end["time"] < start["time"] - 12 * 3600
    assert jumps == len(units)


def test_a_loss_that_is_no_number_is_not_tried_again(run: Any, tmp_path: Path) -> None:
    done = run(tmp_path, fault="nan@step:3")
    assert done.returncode == 1
    assert states(tmp_path) == {"diverged": 2}
    assert "lower their learning rate" in done.stdout
    assert all(len(list(unit.glob("attempts/*"))) == 1 for unit in tmp_path.glob("trials/*"))


def test_a_full_disk_is_said_and_the_same_command_carries_on(
    run: Any, undisturbed: Any, tmp_path: Path
) -> None:
    done = run(tmp_path, fault="full@step:3")
    assert done.returncode == 1
    assert "No space left on device" in done.stdout
    assert "run the same command again" in done.stdout
    assert run(tmp_path).returncode == 0
    assert timeless(tmp_path) == undisturbed


def test_what_failed_can_be_left_as_it_is(run: Any, tmp_path: Path) -> None:
    assert run(tmp_path, fault="full@step:3").returncode == 1
    left = run(tmp_path, "--leave-failed")
    assert left.returncode == 1
    assert "nothing left to run" in left.stdout
    assert "not tried again: 2 trials that failed before" in left.stdout
    assert left.stdout.count("No space left on device") == 2  # each is named, with the reason
    assert states(tmp_path) == {"failed": 2}
    assert run(tmp_path, "--retry-failed").returncode == 0


def test_a_fault_that_is_not_known_is_one_sentence(run: Any, tmp_path: Path) -> None:
    done = run(tmp_path, fault="flood@step:3")
    assert done.returncode == 1
    assert "it has to be KIND@step:N" in done.stdout
    assert all(kind in done.stdout for kind in KINDS)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ("--set", "total_device_hours=1e-9"),
            "the suite's budget of 1e-09 device hours is used up",
        ),
        (("--stop-after", f"{2 / 3600}"), "the time of --stop-after is over"),
    ],
)
def test_hours_that_are_over_end_a_run_within_a_unit_and_more_carry_it_on(
    words: tuple[str, ...], reason: str, run: Any, undisturbed: Any, tmp_path: Path
) -> None:
    first = run(tmp_path, *words, fault="slow@step:3")  # a unit would take 13 s and more
    assert first.returncode == 1
    assert f"stopped early: {reason}" in first.stdout
    assert not list(tmp_path.glob("*/*/result.json"))
    assert not (tmp_path / "halt").exists()
    assert run(tmp_path).returncode == 0
    assert timeless(tmp_path) == undisturbed


def test_what_was_spent_before_counts(run: Any, tmp_path: Path) -> None:
    tiny = ("--set", "total_device_hours=1e-9")
    assert run(tmp_path, *tiny).returncode == 1
    begun = list(tmp_path.glob("*/*/attempts/*"))
    assert len(begun) == 1  # what a unit costs is known once it is under way
    assert run(tmp_path, *tiny).returncode == 1
    assert list(tmp_path.glob("*/*/attempts/*")) == begun


def test_a_first_ctrl_c_loses_no_step_and_the_same_command_carries_on(
    suite: Path,
    run: Any,
    command_line: Callable[..., list[str]],
    undisturbed: Any,
    tmp_path: Path,
) -> None:
    words = command_line("run", suite, "--out", tmp_path / "run", "--workers", "1")
    with background(words, tmp_path / "log", suffering("slow@step:3")) as driver:
        wait_until(lambda: steps(tmp_path / "run") >= 3)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(timeout=60) == 130
    assert "running units stop after their current step" in (tmp_path / "log").read_text()
    assert not (tmp_path / "run" / "halt").exists()
    assert run(tmp_path / "run").returncode == 0
    assert timeless(tmp_path / "run") == undisturbed
    # A second attempt goes on where the first one stood: nothing is done twice.
    for unit in (tmp_path / "run").glob("*/*/"):
        lines = [
            json.loads(line)
            for file in sorted(unit.glob("attempts/*/log.jsonl"))
            for line in file.read_text().splitlines()
        ]
        resumed = [line["step"] for line in lines if line["event"] == "resume"]
        is_alive = sorted(unit.glob("attempts/*/pulse.json"))
        pulses = [json.loads(file.read_text()) for file in is_alive]
        if len(resumed) == 2 and pulses:
            assert resumed[1] >= pulses[0].get("step", 0)


def test_a_second_ctrl_c_does_not_wait(
    suite: Path, command_line: Callable[..., list[str]], tmp_path: Path
) -> None:
    words = command_line("run", suite, "--out", tmp_path / "run", "--workers", "1")
    with background(words, tmp_path / "log", suffering("hang@step:1")) as driver:
        wait_until(lambda: bool(list((tmp_path / "run").glob("*/*/attempts/*/pulse.json"))))
        driver.send_signal(signal.SIGINT)
        time.sleep(1.0)
        assert driver.poll() is None
        driver.send_signal(signal.SIGINT)
        assert driver.wait(timeout=30) == 130


def steps(out: Path) -> int:
    """The largest step that a unit under way has come to."""
    found = [json.loads(file.read_text()) for file in out.glob("*/*/attempts/*/pulse.json")]
    return max((pulse.get("step", 0) for pulse in found), default=0)


def mounts(*words: str) -> None:
    """Mount, or skip the test where that cannot be done."""
    if sys.platform != "linux" or subprocess.run(["mount", *words], check=False).returncode:
        pytest.skip("a disk of its own is made by mount, which wants Linux and root")


def goes_away(
    suite: Path, command_line: Callable[..., list[str]], out: Path, leave: Callable[[], object]
) -> None:
    """Run into a directory that leaves in the middle: the driver says so and stops."""
    log = out.with_name("log")
    words = command_line("run", suite, "--out", out, "--workers", "1")
    with background(words, log, suffering("slow@step:3")) as driver:
        wait_until(lambda: steps(out) >= 3)
        leave()
        assert driver.wait(timeout=120) == 2
    assert "No such file or directory" in log.read_text()
    assert "finished work is kept: mend that and run the same command" in log.read_text()


def test_a_run_directory_that_goes_away_is_made_by_nobody_and_carried_on_when_it_is_back(
    suite: Path, run: Any, command_line: Any, undisturbed: Any, tmp_path: Path
) -> None:
    out, away = tmp_path / "run", tmp_path / "away"
    goes_away(suite, command_line, out, lambda: out.rename(away))
    assert not out.exists()
    away.rename(out)
    assert run(out).returncode == 0
    assert timeless(out) == undisturbed


def test_a_run_directory_that_is_unmounted_is_not_begun_in_the_folder_beneath(
    suite: Path, run: Any, command_line: Any, undisturbed: Any, tmp_path: Path
) -> None:
    out, share = tmp_path / "run", tmp_path / "share"
    out.mkdir()
    share.mkdir()
    mounts("--bind", str(share), str(out))
    unmount = ["umount", "--lazy", str(out)]
    try:
        goes_away(suite, command_line, out, lambda: subprocess.run(unmount, check=True))
        assert not list(out.iterdir())
        mounts("--bind", str(share), str(out))
        assert run(out).returncode == 0
        assert timeless(out) == undisturbed
    finally:
        subprocess.run(unmount, check=False)


@pytest.mark.parametrize("size", ["4k", "160k"])  # before run.json, and in the middle
def test_a_disk_that_is_really_full_loses_nothing_that_was_finished(
    size: str, run: Any, undisturbed: Any, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounts("-t", "tmpfs", "-o", f"size={size}", "none", str(disk))
    try:
        done = run(disk / "run")
        assert done.returncode in (1, 2)
        assert "No space left on device" in done.stdout + done.stderr
        assert "run the same command again" in done.stdout + done.stderr
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        assert run(disk / "run").returncode == 0
        assert timeless(disk / "run") == undisturbed
    finally:
        subprocess.run(["umount", str(disk)], check=True)

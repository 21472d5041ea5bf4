"""Sinks beside a real driver, in real processes that are killed, refused, or end in peace."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import forked
from augbench.bench.sinks import SINKS
from processes import background, parents, under_way, wait_until
from sink_readers import READERS

Words = Callable[..., list[str]]


def long_suite(tmp_path: Path, epochs: int = 60) -> list[str]:
    suite = tmp_path / "long.toml"
    suite.write_text(
        'name = "long"\nfolds = 1\n[tasks.digits]\nvalid_share = 0.8\n'
        f"training = {{ epochs = {epochs}, patience = {epochs} }}\n[methods.none]\n"
    )
    return ["run", str(suite), "--engine", "inline", "--out", str(tmp_path / "run")]


def sinks_of(process: int) -> list[int]:
    """The processes that log for a driver."""
    found = []
    for child, parent in parents().items():
        if parent == process:
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            found += [child] if b"--until-input-ends" in words else []
    return found


def run(
    words: list[str], environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return forked.run(words, environment=environment)


def test_every_sink_follows_a_run_to_its_end(
    command_line: Words, tmp_path: Path, empty_database: Path
) -> None:
    database = shutil.copy(empty_database, tmp_path / "mlflow.db")
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{database}"}
    logs = [word for kind in SINKS for word in ("--log", kind)]
    done = run(command_line(*long_suite(tmp_path, 3), *logs), os.environ | store)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in SINKS:
        where = tmp_path if kind == "mlflow" else tmp_path / "run"
        (shown,) = READERS[kind](where).values()
        assert len(shown.points["valid"]) == 3
        assert shown.ended_well is True
        assert f"{kind}: 1 trial written, 3 points; to see them: " in done.stdout


def test_a_sink_that_is_killed_stops_no_run(command_line: Words, tmp_path: Path) -> None:
    log = tmp_path / "printed"
    words = command_line(*long_suite(tmp_path), "--log", "tensorboard")
    with background(words, log) as driver:
        wait_until(lambda: bool(under_way(tmp_path / "run")))
        (sink,) = sinks_of(driver.pid)
        os.kill(sink, signal.SIGKILL)
        assert driver.wait(300) == 0
    printed = log.read_text()
    assert "the log to tensorboard was killed by signal 9 (the run goes on without it" in printed
    assert "1 of 1 trials done" in printed
    later = run(command_line("log", tmp_path / "run", "--to", "tensorboard"))
    assert later.returncode == 0
    (shown,) = READERS["tensorboard"](tmp_path / "run").values()
    assert [step for step, _ in shown.points["valid"]] == list(range(1, 61))


def test_a_sink_that_cannot_reach_its_server_stops_no_run(
    command_line: Words, tmp_path: Path
) -> None:
    nowhere = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    words = command_line(*long_suite(tmp_path, 2), "--log", "mlflow")
    done = run(words, os.environ | nowhere)
    assert done.returncode == 0, done.stdout + done.stderr
    (said,) = [line for line in done.stdout.splitlines() if "has stopped" in line]
    assert said.startswith("the log to mlflow has stopped: mlflow failed (")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_driver_that_is_killed_takes_its_sinks_along(command_line: Words, tmp_path: Path) -> None:
    words = command_line(*long_suite(tmp_path), "--log", "tensorboard")
    with background(words, tmp_path / "printed") as driver:
        wait_until(lambda: bool(under_way(tmp_path / "run")))
        (sink,) = sinks_of(driver.pid)
        driver.kill()
        driver.wait(60)
        wait_until(lambda: not Path(f"/proc/{sink}").exists() or is_zombie(sink))
    again = run(words)
    assert again.returncode == 0
    (shown,) = READERS["tensorboard"](tmp_path / "run").values()
    assert [step for step, _ in shown.points["valid"]] == list(range(1, 61))


def is_zombie(process: int) -> bool:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_sink_that_is_not_there_is_refused_before_anything_runs(
    command_line: Words, tmp_path: Path
) -> None:
    done = run(command_line(*long_suite(tmp_path), "--log", "tensorbord"))
    assert done.returncode == 2
    assert "unknown sink 'tensorbord'; did you mean 'tensorboard'?" in done.stderr
    assert not (tmp_path / "run").exists()


def test_input_that_is_refused_leaves_no_folder_behind(command_line: Words, tmp_path: Path) -> None:
    words = long_suite(tmp_path)
    done = run(command_line(*words, "--log", "tensorboard", "--device", "tpu"))
    assert done.returncode == 2
    assert not (tmp_path / "run" / "logs").exists()

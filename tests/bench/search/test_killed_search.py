"""A search over Ray in real processes, its driver killed where it hurts."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

import forked
from augbench.bench.search.search_results import read_search_results
from processes import background, wait_until

Timeless = Callable[[Path], list[dict[str, Any]]]
Run = Callable[..., subprocess.CompletedProcess[str]]

SUITE = """
name = "killed"
folds = 1
[tasks.sinusoids]
n_train = 60
n_test = 20
training = { epochs = 9, patience = 9 }
[methods.shift]
method = "augnet"
layers = [["frequency_shift"]]
"""
WORDS = (
    "--method",
    "shift",
    "--param",
    "lambda",
    "--space",
    "log:0.01:50",
    "--trials",
    "4",
    "--batch",
    "2",
)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "killed.toml"
    file.write_text(SUITE)
    return file


@pytest.fixture(scope="module")
def undisturbed(suite: Path, augbench: Run, timeless: Timeless) -> list[dict[str, Any]]:
    """What the reference engine gives."""
    out = suite.parent / "inline"
    done = augbench("search", suite, *WORDS, "--engine", "inline", "--out", out)
    assert done.returncode == 0, done.stderr
    return timeless(out)


@pytest.mark.parametrize("n_begun", [2, 3], ids=["in the first rung", "in the second batch"])
def test_a_killed_driver_is_restored_by_the_same_command_to_the_same_trials(
    n_begun: int,
    suite: Path,
    command_line: Callable[..., list[str]],
    timeless: Timeless,
    undisturbed: list[dict[str, Any]],
    tmp_path: Path,
) -> None:
    words = command_line("search", suite, *WORDS, "--workers", "2", "--out", tmp_path / "s")
    slow = {**os.environ, "AUGBENCH_FAULT": "slow@step:1"}  # a second for each step
    with background(words, tmp_path / "log", slow) as process:
        wait_until(lambda: trials_with_points(tmp_path / "s") >= n_begun)
        process.kill()
        process.wait()
    left = read_search_results(tmp_path / "s").trials
    assert any(trial.state == "unfinished" for trial in left), "too late to kill it"
    kept = {file: file.read_bytes() for file in tmp_path.glob("s/trials/*/result.json")}
    assert forked.run(words).returncode == 0
    assert timeless(tmp_path / "s") == undisturbed
    assert {file: file.read_bytes() for file in kept} == kept
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "s" / "journal.log"))
    study = optuna.load_study(study_name=None, storage=optuna.storages.JournalStorage(backend))
    assert len(study.trials) == 4
    assert all(trial.state.is_finished() for trial in study.trials)
    assert study.best_value == max(t["valid"] for t in undisturbed if t["state"] == "done")


def trials_with_points(out: Path) -> int:
    """How many values of lambda have shown something."""
    files = out.glob("trials/*/attempts/*/points.jsonl")
    specs = [json.loads((file.parents[2] / "spec.json").read_text()) for file in files]
    return len({spec["options"]["penalty"] for spec in specs})

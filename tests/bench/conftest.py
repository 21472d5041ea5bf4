"""Small suites, and real processes that run them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.points import open_run, read_points
from bench.store import RunDirectory

Command = Callable[..., subprocess.CompletedProcess[str]]

SMALL = """
name = "small"
folds = 1
[tasks.digits]
training = { epochs = 3 }
[methods.none]
[methods.random_policy]
n_policies = 2
"""


@pytest.fixture
def small_suite(tmp_path: Path) -> Path:
    """A suite of seconds: one fold of the digits, one method of each kind."""
    file = tmp_path / "small.toml"
    file.write_text(SMALL)
    return file


def command_line(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "bench.cli", *map(str, arguments)]


@pytest.fixture
def augbench() -> Command:
    """Runs the command in a process of its own and returns what it printed and its exit code."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command_line(*arguments), capture_output=True, text=True, timeout=300, check=False
        )

    return run


def points_without_times(path: Path) -> list[dict[str, Any]]:
    """The points of a run, but for what the clock says."""
    run, suite = open_run(path)
    return [
        {key: value for key, value in point.items() if not key.startswith("hours")}
        for point in read_points(run, suite.plan)
    ]


def weights(path: Path) -> dict[str, str]:
    """The digest of the best weights of every unit of a run."""
    run = RunDirectory(path)
    return {
        str(file.parent.relative_to(run.path)): json.loads(file.read_text())["weights"]
        for file in sorted(run.path.glob("*/*/result.json"))
    }

"""Small suites, and real processes that run them."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import forked
from augbench.bench.library import run_suite
from augbench.bench.unit import job
from augbench.methods.training.end_to_end import EndToEnd
from forked import COMMAND

Command = Callable[..., subprocess.CompletedProcess[str]]

SMALL = """
name = "small"
folds = 1
[tasks.digits]
valid_share = 0.8
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


LEARNED = """
name = "learned"
folds = 1
[tasks.digits]
valid_share = 0.8
training = { epochs = 2 }
transforms = ["rotate", "brightness"]
ranges = { rotate = 45.0 }
[methods.none]
[methods.augnet]
layers = [["rotate", "brightness"]]
[methods.random_policy]
n_policies = 2
[methods.other]
method = "random_policy"
n_policies = 1
"""


@pytest.fixture(scope="session")
def learned_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run: plain training, AugNet, and two random searches for a policy of rotations."""
    folder = tmp_path_factory.mktemp("learned")
    (folder / "learned.toml").write_text(LEARNED)
    return run_suite(folder / "learned.toml", out=folder / "run", verbose=False)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Does some work, of which a step, the first one being 1, ends in an exception."""

    def do(work: Callable[[], object], *, at: int) -> None:
        step, n_steps = EndToEnd.step, 0

        def stops(self: EndToEnd) -> bool:
            nonlocal n_steps
            n_steps += 1
            if n_steps == at:
                raise RuntimeError("pulled the plug")
            return step(self)

        with monkeypatch.context() as patched:
            patched.setattr(EndToEnd, "step", stops)
            with pytest.raises(RuntimeError, match="pulled the plug"):
                work()

    return do


@pytest.fixture
def without_test_split(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, units have no test split at all: who reads it fails."""
    make_setup = job.make_setup

    def without(*args: Any, **kwargs: Any) -> Any:
        setup, _, task = make_setup(*args, **kwargs)
        return setup, None, task

    return lambda: monkeypatch.setattr(job, "make_setup", without)


@pytest.fixture(scope="session")
def command_line() -> Callable[..., list[str]]:
    """The words that start the command in a process of its own."""

    def words(*arguments: str | Path) -> list[str]:
        return [*COMMAND, *map(str, arguments)]

    return words


@pytest.fixture(scope="session")
def augbench(command_line: Callable[..., list[str]]) -> Command:
    """Runs the command in a process of its own and returns what it printed and its exit code."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return forked.run(command_line(*arguments))

    return run

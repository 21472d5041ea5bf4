"""Real processes for tests, as `from processes import ...`: pyproject.toml names this folder."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.attempt_log import end_event, pulse, start_event
from forked import Forked, can_be_forked, fork


class background:  # noqa: N801 it reads as an adverb
    """A command in the background, killed with all that it started when the block ends."""

    def __init__(
        self, words: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        log.parent.mkdir(exist_ok=True, parents=True)
        self.process: Forked | subprocess.Popen[bytes]
        with log.open("a") as file:
            if can_be_forked(words):
                self.process = fork(words, environment, file.fileno(), file.fileno())
            else:
                self.process = subprocess.Popen(
                    words, env=environment, stdout=file, stderr=file, start_new_session=True
                )

    def __enter__(self) -> "Forked | subprocess.Popen[bytes]":
        return self.process

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Look again and again until it holds, but no longer than that."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def under_way(out: Path) -> list[int]:
    """The processes of a run's trials that have come to a second step and not to their end."""
    attempts = [AttemptDirectory(path) for path in out.glob("trials/*/attempts/*")]
    return [
        start_event(each)["process"]
        for each in attempts
        if pulse(each).get("step", 0) > 1 and end_event(each) is None
    ]


def parents() -> dict[int, int]:
    """Of every process that lives the one that started it; on Linux."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            found[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
    return found


def comes_from(process: int, ancestor: int) -> bool:
    """Whether a process was started by another one, or by what that started."""
    every = parents()
    while process in every and process != ancestor:
        process = every[process]
    return process == ancestor

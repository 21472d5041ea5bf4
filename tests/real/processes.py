"""Real processes for tests, as `from processes import ...`: pyproject.toml names this folder."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.attempt import ended, pulse, started
from bench.store import AttemptDirectory


class background:  # noqa: N801 it reads as an adverb
    """A command in the background, killed with all that it started when the block ends."""

    def __init__(
        self, words: list[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        log.parent.mkdir(exist_ok=True, parents=True)
        with log.open("a") as file:
            self.process = subprocess.Popen(
                words, env=environment, stdout=file, stderr=file, start_new_session=True
            )

    def __enter__(self) -> subprocess.Popen[bytes]:
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
        time.sleep(0.02)


def under_way(out: Path) -> list[int]:
    """The processes of a run's trials that have come to a second step and not to their end."""
    attempts = [AttemptDirectory(path) for path in out.glob("trials/*/attempts/*")]
    return [
        started(each)["process"]
        for each in attempts
        if pulse(each).get("step", 0) > 1 and ended(each) is None
    ]


def comes_from(process: int, ancestor: int) -> bool:
    """Whether a process was started by another one, or by what that started; on Linux."""
    try:
        while process not in (0, ancestor):
            stat = Path(f"/proc/{process}/stat").read_text()
            process = int(stat.rpartition(")")[2].split()[1])
    except FileNotFoundError:  # it has ended
        return False
    return process == ancestor

"""Real processes for tests, as `from processes import ...`: pyproject.toml names this folder."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path


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

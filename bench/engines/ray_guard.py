"""A small process beside the driver that has the last word when Ray ends or blocks the driver.

Ray's library holds the interpreter's lock while it connects, so that nothing in the driver can
interrupt it (a worker that dies at that moment blocked it for ever: ray-project/ray#40131), and it
ends the process by itself 60 s after it has lost its head. A guard sees both from outside: it says
what happened in one sentence, ends what is left of Ray and removes its folder.

This file is also the guard's program and imports nothing but the standard library.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

GRACE_SECONDS = 10.0  # for a driver whose Ray was ended to say so itself


class Guard:
    """Watches this process until it has said `started`, and then `closed`."""

    def __init__(
        self, folder: Path | None, seconds: float, *, not_started: str, ended: str
    ) -> None:
        """Start it. ``folder`` is that of a Ray of ours; Ray has so many seconds to start."""
        settings = {
            "folder": str(folder or ""),
            "seconds": seconds,
            "driver": os.getpid(),
            "not_started": not_started,
            "ended": ended,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C in the terminal is the driver's to handle
        )

    def started(self) -> None:
        """Ray has started: the time limit is over."""
        self._say(b"started\n")

    def closed(self) -> None:
        """The driver has stopped Ray, or has said itself why it could not."""
        self._say(b"closed\n")
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _say(self, word: bytes) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError, ValueError):  # if the guard was killed, go on without it
            self._process.stdin.write(word)
            self._process.stdin.flush()


def guard(folder: str, seconds: float, driver: int, not_started: str, ended: str) -> None:
    """Wait for the driver's words; where they do not come, do and say what is needed."""
    word = _read_word(seconds)
    says = not_started
    if word == b"started":
        says = ended
        word = _read_word(None)
    if word == b"closed":
        return
    if word is None:
        kill_processes(folder)
        word = _read_word(GRACE_SECONDS)
        if word is not None and word != b"":
            return  # the driver lives, and says by itself that Ray has not started
        if word is None:
            with suppress(ProcessLookupError):
                os.kill(driver, signal.SIGKILL)
    with suppress(OSError):
        os.write(2, f"augbench: {says}\n".encode())
    if folder:
        kill_processes(folder)
        time.sleep(0.5)  # workers end when they miss their node, and write to the folder until then
        shutil.rmtree(folder, ignore_errors=True)


def _read_word(seconds: float | None) -> bytes | None:
    """The next line; empty when the driver is gone, and None after so many seconds."""
    if not select.select([0], [], [], seconds)[0]:
        return None
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line.strip()


def kill_processes(folder: str) -> None:
    """Kill the processes that name the folder in their command line: those of its Ray."""
    for file in Path("/proc").glob("[0-9]*/cmdline") if folder else ():
        with suppress(OSError):
            if f"{folder}/".encode() in file.read_bytes():
                os.kill(int(file.parent.name), signal.SIGKILL)


if __name__ == "__main__":
    guard(**json.loads(sys.argv[1]))

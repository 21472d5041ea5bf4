"""One process's try at a unit: its pulse, its progress, and what it lost of the one before."""

import os
import platform
import subprocess
import threading
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch

from bench.store import UnitDirectory, append_line, read_lines

PULSE_SECONDS = 0.5  # how exactly the time of a killed process is known
PROGRESS_SECONDS = 0.5  # at most one line of progress in that time


class Wasted(NamedTuple):
    """What earlier attempts spent on work that no checkpoint kept. Never charged to the method."""

    seconds: float
    attempts: int  # that did not finish


class Attempt:
    """A file of lines, whose modification time is the process's pulse.

    ``kept_seconds`` is what the ledger of the checkpoint to resume from has measured so far:
    whatever earlier attempts lived longer than that is wasted.
    """

    def __init__(self, directory: UnitDirectory, *, device: torch.device, shared: bool) -> None:
        self.earlier = directory.attempts()
        self.file = directory.path / "attempts" / f"{len(self.earlier) + 1:04d}.jsonl"
        self._stop = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)
        self._last_progress = 0.0
        append_line(
            self.file,
            {"event": "start", "time": time.time(), "shared": shared, **provenance(device)},
        )

    def __enter__(self) -> "Attempt":
        self._pulse.start()
        return self

    def resumed(self, step: int, kept_seconds: float) -> Wasted:
        """Note from where this attempt goes on, and return what is lost."""
        lived = sum(_lifetime(file) for file in self.earlier)
        wasted = Wasted(max(0.0, lived - kept_seconds), len(self.earlier))
        if not self.earlier:
            wasted = Wasted(0.0, 0)
        append_line(self.file, {"event": "resume", "step": step, **wasted._asdict()})
        return wasted

    def progress(self, step: int, phase: str, seconds: float, best_valid: float | None) -> None:
        """Note how far the unit is, for those who watch."""
        now = time.monotonic()
        if now - self._last_progress < PROGRESS_SECONDS:
            return
        self._last_progress = now
        record = {
            "event": "progress",
            "step": step,
            "phase": phase,
            "charged_seconds": seconds,
            "best_valid": best_valid,
        }
        append_line(self.file, record, sync=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._pulse.join()
        ending: dict[str, Any] = {"event": "end", "time": time.time()}
        if error is not None:
            ending |= {"error": type(error).__name__, "reason": str(error)}
        append_line(self.file, ending)

    def _beat(self) -> None:
        while not self._stop.wait(PULSE_SECONDS):
            os.utime(self.file)


def _lifetime(file: Path) -> float:
    """Seconds from the start of an attempt to its last sign of life."""
    start = next(read_lines(file), None)
    if start is None:
        return 0.0
    return max(0.0, file.stat().st_mtime - float(start["time"]))


@cache
def provenance(device: torch.device) -> dict[str, Any]:
    """Where and with what a process runs."""
    return {
        "host": platform.node(),
        "process": os.getpid(),
        "device": device_name(device),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("augbench", "torch", "braindecode", "mne")},
        "commit": _commit(),
    }


def device_name(device: torch.device) -> str:
    """``cpu``, or the model of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _commit() -> str:
    """The commit that the code was checked out at, with a mark for changes; empty if unknown."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return described.stdout.strip()

"""One process's try at a unit: its pulse, its progress, and what it lost of the ones before."""

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

from bench.store import (
    DamagedError,
    UnitDirectory,
    append_line,
    read_json,
    read_lines,
    replace_json,
)

PULSE_SECONDS = 0.5  # how exactly the time of a killed process is known


class Wasted(NamedTuple):
    """What earlier attempts spent on work that no checkpoint kept. Never charged to the method."""

    seconds: float
    attempts: int  # that did not finish


class Attempt:
    """A process that works on a unit: a file of lines, and a pulse file that it keeps beating.

    The pulse holds the time and the progress. Times are written down and not taken from the file
    system: a run directory may be copied.
    """

    def __init__(self, directory: UnitDirectory, *, device: torch.device, shared: bool) -> None:
        self.earlier = directory.attempts()
        self.file = directory.path / "attempts" / f"{len(self.earlier) + 1:04d}.jsonl"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._progress: dict[str, Any] = {}
        append_line(
            self.file,
            {"event": "start", "time": time.time(), "shared": shared, **provenance(device)},
        )

    def __enter__(self) -> "Attempt":
        self._thread.start()
        return self

    def resumed(self, step: int, kept_seconds: float, fingerprint: str) -> Wasted:
        """Note from where this attempt goes on and on which data, and return what is lost.

        ``kept_seconds`` is all that the ledger of the checkpoint has measured: whatever earlier
        attempts lived longer than that is wasted.
        """
        lived = sum(lifetime(file) for file in self.earlier)
        lost = max(0.0, lived - kept_seconds) if self.earlier else 0.0
        wasted = Wasted(lost, len(self.earlier))
        line = {"event": "resume", "step": step, "fingerprint": fingerprint, **wasted._asdict()}
        append_line(self.file, line)
        return wasted

    def progress(self, step: int, phase: str, seconds: float, best_valid: float | None) -> None:
        """Tell those who watch how far the unit is."""
        self._progress = {
            "step": step,
            "phase": phase,
            "charged_seconds": seconds,
            "best_valid": best_valid,
        }

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        ending: dict[str, Any] = {"event": "end", "time": time.time()}
        if isinstance(error, Exception):  # a Ctrl-C is no error of the unit
            ending |= {"error": type(error).__name__, "reason": str(error)}
        append_line(self.file, ending)

    def _beat(self) -> None:
        while not self._stop.wait(PULSE_SECONDS):
            try:
                replace_json(_pulse_file(self.file), {"time": time.time(), **self._progress})
            except OSError:  # a full disk: the unit itself will say so
                return


def pulse(attempt: Path) -> dict[str, Any]:
    """The last beat of an attempt: its time and the progress then; empty if none can be told."""
    try:
        return read_json(_pulse_file(attempt))
    except (FileNotFoundError, DamagedError):  # a beat is not synced: a power cut may tear it
        return {}


def beats(attempt: Path) -> bool:
    """Whether the process of an attempt is alive, as far as its files tell."""
    return time.time() - float(pulse(attempt).get("time", 0.0)) < 6 * PULSE_SECONDS


def lifetime(attempt: Path) -> float:
    """Seconds from the start of an attempt to its end or its last beat."""
    lines = list(read_lines(attempt))
    if not lines:
        return 0.0
    last_sign = max(float(line.get("time", 0.0)) for line in lines)
    return max(last_sign, float(pulse(attempt).get("time", 0.0))) - float(lines[0]["time"])


def resumptions(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they went on, oldest first."""
    return [
        line
        for file in directory.attempts()
        for line in read_lines(file)
        if line["event"] == "resume"
    ]


def kept_data(directory: UnitDirectory) -> str | None:
    """The fingerprint of the data behind what a unit has kept; None where it has kept nothing."""
    if not directory.checkpoints.exists():  # one comes before any result
        return None
    fingerprint: str | None = resumptions(directory)[-1].get("fingerprint")
    return fingerprint


def _pulse_file(attempt: Path) -> Path:
    return attempt.with_suffix(".pulse")


@cache
def provenance(device: torch.device) -> dict[str, Any]:
    """Where and with what a process runs."""
    return {
        "host": platform.node(),
        "process": os.getpid(),
        "device": device_name(device),
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
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

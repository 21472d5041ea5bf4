"""One process's try at a unit: its pulse, its progress, and what it lost of the ones before."""

import os
import platform
import subprocess
import threading
import time
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import torch

from bench.files import DamagedError, append_line, read_json, replace_json
from bench.ledger import Ledger
from bench.store import AttemptDirectory, UnitDirectory
from datasets.errors import UserError

PULSE_SECONDS = 0.5  # how exactly the time of a killed process is known
LEASE_SECONDS = 6 * PULSE_SECONDS  # without a beat, after which a process is taken for dead


class SupersededError(UserError):
    """Another process has gone on with a unit in the place of this one."""


class Wasted(NamedTuple):
    """What earlier attempts spent on work that no checkpoint kept. Never charged to the method."""

    seconds: float
    attempts: int  # that did not finish


class Attempt:
    """A process that works on a unit: a log, and a pulse that it keeps beating.

    Both say how long it has ``lived``, by the ledger's clock: the time beside it is for people, and
    jumps with the clock on the wall.
    """

    def __init__(
        self, unit: UnitDirectory, ledger: Ledger, *, device: torch.device, shared: bool
    ) -> None:
        self._began = time.perf_counter()
        self.ledger = ledger
        self._kept_seconds = 0.0
        self._unit = unit
        self.directory = unit.begin_attempt()
        self.earlier = [
            attempt for attempt in unit.attempts() if attempt.number < self.directory.number
        ]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._beating = threading.Lock()
        self._progress: dict[str, Any] = {}
        append_line(
            self.directory.log_file,
            {"event": "start", "time": time.time(), "shared": shared, **provenance(device)},
        )
        for attempt in self.earlier:
            attempt.fence()

    def __enter__(self) -> "Attempt":
        self._thread.start()
        return self

    def resumed(self, step: int, kept_seconds: float, fingerprint: str) -> Wasted:
        """Note from where this attempt goes on and on which data, and return what is lost.

        ``kept_seconds`` is all that the ledger of the checkpoint has measured: whatever earlier
        attempts lived longer than that is wasted. Less than that they live only where a power cut
        has taken their last beats.
        """
        self._kept_seconds = kept_seconds
        lived = sum(map(lifetime, self.earlier))
        wasted = Wasted(max(0.0, lived - kept_seconds), len(self.earlier))
        line = {"event": "resume", "step": step, "kept": kept_seconds, "fingerprint": fingerprint}
        append_line(self.directory.log_file, {**line, **wasted._asdict()})
        return wasted

    def check_lease(self) -> None:
        """Raise a SupersededError if a newer attempt has begun."""
        if self._newest().number > self.directory.number:
            raise self.superseded()

    def superseded(self) -> SupersededError:
        """The error of an attempt that another one has overtaken."""
        host = started(self._newest()).get("host", "a machine that has not said its name")
        unit = "/".join(self._unit.path.parts[-2:])
        here = f"process {os.getpid()} on {platform.node()}"
        return SupersededError(
            f"a newer attempt on {host} works on {unit}: this one, {here}, stops"
        )

    def beat(self) -> None:
        """Write down how long this attempt has lived, unless a newer one has counted that."""
        with self._beating:
            lived = time.perf_counter() - self._began
            if self._newest().number == self.directory.number:
                beat = {"time": time.time(), "lived": lived, **self._progress}
                replace_json(self.directory.pulse_file, beat)

    def _newest(self) -> AttemptDirectory:
        return max([*self._unit.attempts(), self.directory], key=lambda each: each.number)

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
        ending["measured"] = self.ledger.seconds - self._kept_seconds
        if not isinstance(error, SupersededError):  # the newer attempt has counted its life by then
            ending["lived"] = time.perf_counter() - self._began
        if isinstance(error, Exception):  # a Ctrl-C is no error of the unit
            ending |= {"error": type(error).__name__, "reason": str(error)}
        append_line(self.directory.log_file, ending)

    def _keep_beating(self) -> None:
        while not self._stop.wait(PULSE_SECONDS):
            with suppress(OSError):  # a full disk: the unit itself will say so, or it will pass
                self.beat()


def pulse(attempt: AttemptDirectory) -> dict[str, Any]:
    """The last beat of an attempt: its time and the progress then; empty if none can be told."""
    try:
        return read_json(attempt.pulse_file)
    except (FileNotFoundError, DamagedError):  # a beat is not synced: a power cut may tear it
        return {}


def beats(attempt: AttemptDirectory) -> bool:
    """Whether the process of an attempt is alive, as far as its files tell.

    A beat that is yet to come is of a clock that was wrong, then or now.
    """
    return abs(time.time() - float(pulse(attempt).get("time", 0.0))) < LEASE_SECONDS


def lifetime(attempt: AttemptDirectory) -> float:
    """Seconds from the start of an attempt to its end or its last beat."""
    signs = [*attempt.log(), pulse(attempt)]
    return max(float(sign.get("lived", 0.0)) for sign in signs)


def started(attempt: AttemptDirectory) -> dict[str, Any]:
    """What an attempt noted when it began; empty where it died before that."""
    return next(iter(attempt.log()), {})


def ended(attempt: AttemptDirectory) -> dict[str, Any] | None:
    """What an attempt noted when it ended; None where it has not, or was killed."""
    return next((line for line in attempt.log() if line["event"] == "end"), None)


def is_over(attempt: AttemptDirectory, patience_seconds: float) -> bool:
    """Whether the process of an attempt is gone, now that this one holds the unit's lock.

    Of a process on this machine the lock says so. One on another is watched, for as long as there
    is patience: it is gone when its files stand still for LEASE_SECONDS, by this machine's clock.
    """
    began = heard = time.monotonic()
    signs = _signs(attempt)
    while ended(attempt) is None and started(attempt).get("host") != platform.node():
        now, seen = time.monotonic(), _signs(attempt)
        if seen != signs:
            heard, signs = now, seen
        if now - heard >= LEASE_SECONDS:
            return True
        if now - began >= patience_seconds:
            return False
        time.sleep(PULSE_SECONDS / 5)
    return True


def _signs(attempt: AttemptDirectory) -> list[bytes]:
    files = (attempt.log_file, attempt.pulse_file)
    return [file.read_bytes() for file in files if file.exists()]


def resumptions(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they went on, oldest first."""
    return [
        line
        for attempt in directory.attempts()
        for line in attempt.log()
        if line["event"] == "resume"
    ]


def kept_data(directory: UnitDirectory) -> str | None:
    """The fingerprint of the data behind what a unit has kept; None where it has kept nothing."""
    if not any(attempt.has_checkpoint() for attempt in directory.attempts()):
        return None  # a checkpoint comes before any result
    fingerprint: str | None = resumptions(directory)[-1].get("fingerprint")
    return fingerprint


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

"""What the files of an attempt say: its start, its pulse, its end, and what it went on from."""

import platform
import time
from typing import Any

from augbench.bench.store.files import DamagedError, read_json
from augbench.bench.store.run_directory import AttemptDirectory, UnitDirectory

PULSE_SECONDS = 0.5  # how exactly the time of a killed process is known
LEASE_SECONDS = 6 * PULSE_SECONDS  # without a beat, after which a process is taken for dead


def pulse(attempt: AttemptDirectory) -> dict[str, Any]:
    """The last beat of an attempt: its time and the progress then; empty if none can be told."""
    try:
        return read_json(attempt.pulse_file)
    except (FileNotFoundError, DamagedError):  # a beat is not synced: a power cut may tear it
        return {}


def is_alive(attempt: AttemptDirectory) -> bool:
    """Whether the process of an attempt is alive, as far as its files tell.

    A beat that is yet to come is of a clock that was wrong, then or now.
    """
    return abs(time.time() - float(pulse(attempt).get("time", 0.0))) < LEASE_SECONDS


def lifetime(attempt: AttemptDirectory) -> float:
    """Seconds from the start of an attempt to its end or its last beat."""
    signs = [*attempt.log(), pulse(attempt)]
    return max(float(sign.get("lived", 0.0)) for sign in signs)


def start_event(attempt: AttemptDirectory) -> dict[str, Any]:
    """What an attempt noted when it began; empty where it died before that."""
    return next(iter(attempt.log()), {})


def end_event(attempt: AttemptDirectory) -> dict[str, Any] | None:
    """What an attempt noted when it ended; None where it has not, or was killed."""
    return next((line for line in attempt.log() if line["event"] == "end"), None)


def has_stopped(attempt: AttemptDirectory, patience_seconds: float) -> bool:
    """Whether the process of an attempt is gone, now that this one holds the unit's lock.

    Of a process on this machine the lock says so. One on another is watched, for as long as there
    is patience: it is gone when its files stand still for LEASE_SECONDS, by this machine's clock.
    """
    began = heard = time.monotonic()
    signs = _signs(attempt)
    while end_event(attempt) is None and start_event(attempt).get("host") != platform.node():
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


def resume_events(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they went on, oldest first."""
    return [
        line
        for attempt in directory.attempts()
        for line in attempt.log()
        if line["event"] == "resume"
    ]


def checkpoint_fingerprint(directory: UnitDirectory) -> str | None:
    """The fingerprint of the data behind what a unit has kept; None where it has kept nothing."""
    if not any(attempt.has_checkpoint() for attempt in directory.attempts()):
        return None  # a checkpoint comes before any result
    fingerprint: str | None = resume_events(directory)[-1].get("fingerprint")
    return fingerprint

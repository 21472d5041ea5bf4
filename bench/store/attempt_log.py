"""What the files of an attempt say: its start, its pulse, its end, and from where it went on."""

import platform
import time
from typing import Any

from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.files import DamagedError, damaged, read_record
from augbench.bench.store.records import PULSE
from augbench.bench.store.unit_directory import UnitDirectory

PULSE_SECONDS = 0.5  # how exactly the time of a killed process is known
LEASE_SECONDS = 6 * PULSE_SECONDS  # a process without a beat for so long is taken for dead


def pulse(attempt: AttemptDirectory) -> dict[str, Any]:
    """The last beat of an attempt, its time and its progress; empty if there is none to read."""
    try:
        return read_record(attempt.pulse_file, PULSE)
    except (FileNotFoundError, DamagedError):  # a beat is not synced: a power cut may tear it
        return {}


def is_alive(attempt: AttemptDirectory) -> bool:
    """Whether the process of an attempt is alive, as far as its files tell.

    A beat in the future comes from a clock that was wrong, then or now.
    """
    return abs(time.time() - float(pulse(attempt).get("time", 0.0))) < LEASE_SECONDS


def lifetime(attempt: AttemptDirectory) -> float:
    """Seconds from the start of an attempt to its end or its last beat.

    Of one that paused, those that its last checkpoint holds: it did nothing after that but stop.
    """
    log = attempt.log()
    signs = log if any(sign.get("paused") for sign in log) else [*log, pulse(attempt)]
    return max(float(sign.get("lived", 0.0)) for sign in signs)


def joules(attempt: AttemptDirectory) -> dict[str, float]:
    """What the machine used from the start of an attempt to its end or its last beat, by part.

    Empty where the machine does not tell.
    """
    found: dict[str, float] = {}
    for sign in (*attempt.log(), pulse(attempt)):
        for part, value in sign.get("joules", {}).items():
            found[part] = max(value, found.get(part, 0.0))
    return found


def start_event(attempt: AttemptDirectory) -> dict[str, Any]:
    """What an attempt noted when it began; empty if it died before that."""
    return next((event for event in attempt.log() if event["event"] == "start"), {})


def end_event(attempt: AttemptDirectory) -> dict[str, Any] | None:
    """What an attempt noted when it ended; None if it has not ended, or was killed."""
    return next((line for line in attempt.log() if line["event"] == "end"), None)


def has_stopped(attempt: AttemptDirectory, patience_seconds: float) -> bool:
    """Whether the process of an attempt is gone, given that this process holds the unit's lock.

    The lock proves it for a process on this machine. A process on another machine is watched for
    up to ``patience_seconds``: it is gone when its files have not changed for LEASE_SECONDS, by
    this machine's clock.
    """
    began = heard = time.monotonic()
    signs = _file_contents(attempt)
    while end_event(attempt) is None and start_event(attempt).get("host") != platform.node():
        now, seen = time.monotonic(), _file_contents(attempt)
        if seen != signs:
            heard, signs = now, seen
        if now - heard >= LEASE_SECONDS:
            return True
        if now - began >= patience_seconds:
            return False
        time.sleep(PULSE_SECONDS / 5)
    return True


def _file_contents(attempt: AttemptDirectory) -> list[bytes]:
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
    """The fingerprint of the data behind a unit's checkpoints; None if there are none.

    Raises a DamagedError if there are checkpoints but no log that names their data.
    """
    attempts = [each for each in directory.attempts() if each.has_checkpoint()]
    if not attempts:
        return None  # a checkpoint comes before any result
    events = resume_events(directory)
    if not events:
        raise damaged(attempts[-1].log_file, "it does not say which data the attempt used")
    fingerprint: str = events[-1]["fingerprint"]
    return fingerprint

"""Whether a driver works on a run directory."""

import fcntl
from pathlib import Path

LOOK_SECONDS = 0.5  # longer than `has_driver` holds the lock


def has_driver(run: Path) -> bool:
    """Whether a driver on this machine holds the run directory."""
    try:
        with (run / "lock").open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # there is none yet, or the file system has no locks
    return False

"""Signs of life of a process that gets ready for a unit and has no attempt yet to show them in.

They stand in the unit's folder, with the driver's ticket: a process that another driver left behind
has another one. Each stage writes its own signs, so the driver notices if one stands still: the
worker of Ray once, the zygote while it imports, its child until the attempt has begun.

This imports nothing but the standard library, for a worker of Ray that imports nothing else.
"""

import json
import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

BEAT_SECONDS = 0.5  # as an attempt's pulse
_NAME = "starting.json"


def show_life(folder: Path, ticket: str) -> None:
    """Write one sign of life into a unit's folder."""
    beat = {"ticket": ticket, "time": time.time(), "process": os.getpid()}
    draft = folder / f".{_NAME}.{platform.node()}.{os.getpid()}"
    with suppress(OSError):  # a full disk: the unit itself will say so
        draft.write_text(json.dumps(beat), encoding="utf-8")
        draft.replace(folder / _NAME)


@contextmanager
def showing_life(folder: Path, ticket: str) -> Iterator[None]:
    """Show life by a thread until the block ends, or a new attempt at the unit has begun."""
    n_attempts = _count_attempts(folder)
    stop = threading.Event()

    def beat() -> None:
        while _count_attempts(folder) == n_attempts:
            show_life(folder, ticket)
            if stop.wait(BEAT_SECONDS):
                break

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def read_sign(folder: Path, ticket: str) -> dict[str, Any] | None:
    """The last sign of life of a unit's start; None if there is none with this ticket."""
    try:
        sign = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is not synced: a power cut may tear it
        return None
    return sign if isinstance(sign, dict) and sign.get("ticket") == ticket else None


def remove_sign(folder: Path) -> None:
    """Remove the sign of life of a unit that is no longer under way."""
    with suppress(OSError):
        (folder / _NAME).unlink(missing_ok=True)


def _count_attempts(folder: Path) -> int:
    with suppress(FileNotFoundError):
        return len(os.listdir(folder / "attempts"))  # noqa: PTH208 several times as fast
    return 0

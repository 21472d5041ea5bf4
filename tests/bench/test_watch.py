"""Units that hang, are lost, wait for a slot or go on, as the driver sees them by their files."""

from pathlib import Path

import pytest

from bench.engines import watch
from bench.engines.watch import LOOK_SECONDS, LOST_SECONDS, Watch
from bench.store import RunDirectory, UnitId

UNIT = UnitId("trials", "0123456789ab")


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

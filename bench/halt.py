"""How a driver stops early: units under way keep what they did, and no new ones are handed out."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from bench.accounts import charged
from bench.attempt import pulse
from bench.files import read_json
from bench.store import RunDirectory, UnitDirectory

LOOK_SECONDS = 2.0  # between looks at what a run has cost
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """Asked for by a first Ctrl-C or a polite kill, by the clock, or by the suite's budget.

    It leaves a file in the run directory that every worker looks for after each of its steps. A
    second Ctrl-C does not wait for them. Inside ``with``, the signals are ours.
    """

    def __init__(
        self,
        run: RunDirectory,
        console: Console,
        hours: float | None,  # of the clock on the wall, from now on
        device_hours: float | None,  # of all units of the run together
    ) -> None:
        self._run, self._console = run, console
        self._end = None if hours is None else time.monotonic() + 3600 * hours
        self._device_seconds = None if device_hours is None else 3600 * device_hours
        self._finished: dict[Path, float] = {}  # seconds of units that are done
        self._looked = -LOOK_SECONDS
        self._former: dict[int, Any] = {}
        self.reason = ""
        self.interrupted = False

    def __enter__(self) -> "Halt":
        self._run.halt_file.unlink(missing_ok=True)  # of a driver that was killed
        self._former = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, former in self._former.items():
            signal.signal(number, former)
        with suppress(OSError):  # where that is what stops the driver
            self._run.halt_file.unlink(missing_ok=True)

    def __call__(self) -> bool:
        """Whether nothing more is to be handed out."""
        if not self.reason and time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            self._look()
        return bool(self.reason)

    def conclude(self) -> None:
        """Say why, if it was asked for; raises KeyboardInterrupt if a person did."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self.reason:
            self._console.print(f"stopped early: {self.reason}", highlight=False)

    def _look(self) -> None:
        if self._end is not None and time.monotonic() >= self._end:
            self._ask("the time is over that --stop-after gives")
        elif self._device_seconds is not None and self._spent() >= self._device_seconds:
            hours = self._device_seconds / 3600
            self._ask(f"the suite's budget of {hours:g} device hours is used up: raise it to go on")

    def _spent(self) -> float:
        """Seconds that all units of the run are charged so far."""
        running = 0.0
        for folder in self._run.path.glob("*/*"):
            if folder not in self._finished and (folder / "spec.json").exists():
                unit = UnitDirectory(folder)
                if (folder / "result.json").exists():
                    self._finished[folder] = charged(
                        read_json(folder / "result.json")["costs"]
                    ).seconds
                elif attempts := unit.attempts():
                    running += float(pulse(attempts[-1]).get("charged_seconds", 0.0))
        return running + sum(self._finished.values())

    def _ask(self, reason: str) -> None:
        self.reason = reason
        self._run.halt_file.touch()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        self._ask("interrupted")
        self._console.print(
            "stopping: what is under way keeps the steps it has done; once more stops at once"
        )

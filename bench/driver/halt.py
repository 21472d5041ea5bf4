"""How a driver stops early: units under way keep what they did, and no new ones are handed out."""

import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from augbench.bench.store.accounts import charged
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.files import DamagedError
from augbench.bench.store.run_directory import RunDirectory, UnitDirectory
from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError, system_error

CHECK_SECONDS = 0.5  # between looks while units are under way
COST_SHARE = 0.05  # of a processor: what looking at the costs of a long run may take
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """Asked for by a first Ctrl-C or a polite kill, by the clock, or by the suite's budget.

    It leaves a file in the run directory that every worker looks for after each of its steps. A
    second Ctrl-C does not wait for them. Inside ``with``, the signals are ours, and a thread looks
    at the clock and at the costs even while the driver itself works on a unit.
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
        self._summed_at: float | None = None  # when the costs were looked at last
        self._pause = 0.0  # from then on, before they are looked at again
        self._seconds = 0.0  # what they were
        self._lock = threading.Lock()
        self._outside = threading.Event()
        self._outside.set()  # there are no units to ask
        self._thread = threading.Thread()
        self._former: dict[int, Any] = {}
        self.reason = ""
        self.interrupted = False

    def __enter__(self) -> "Halt":
        self._run.halt_file.unlink(missing_ok=True)  # of a driver that was killed
        self._outside.clear()
        self._former = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._outside.set()
        self._thread.join()
        for number, former in self._former.items():
            signal.signal(number, former)
        with suppress(OSError):  # where that is what stops the driver
            self._run.halt_file.unlink(missing_ok=True)

    def __call__(self) -> bool:
        """Whether nothing more is to be handed out."""
        with self._lock:
            if not self.reason:
                self._check_limits()
        return bool(self.reason)

    def conclude(self) -> None:
        """Say why, if it was asked for; raises KeyboardInterrupt if a person did."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self.reason:
            print_line(self._console, f"stopped early: {self.reason}")

    def _poll(self) -> None:
        while not self._outside.wait(CHECK_SECONDS):
            with suppress(OSError, UserError):  # the driver's own look will say so
                self()

    def _check_limits(self) -> None:
        if self._end is not None and time.monotonic() >= self._end:
            self._request("the time is over that --stop-after gives")
        elif self._device_seconds is not None and self._charged() >= self._device_seconds:
            budget = f"the suite's budget of {self._device_seconds / 3600:g} device hours"
            self._request(f"{budget} is used up: raise it to go on")

    def _charged(self) -> float:
        """Seconds that all units of the run are charged so far, as of the last reckoning."""
        now = time.monotonic()
        if self._summed_at is None or now >= self._summed_at + self._pause:
            began = time.thread_time()
            self._seconds = self._sum_seconds()
            if self._summed_at is not None:  # the first one reads what former drivers left behind
                self._pause = (time.thread_time() - began) / COST_SHARE
            self._summed_at = now
        return self._seconds

    def _sum_seconds(self) -> float:
        running = 0.0
        for folder in self._run.path.glob("*/*"):
            if folder in self._finished or not (folder / "spec.json").exists():
                continue
            unit = UnitDirectory(folder)
            with suppress(DamagedError):  # of its own trial only, which says so
                if (result := unit.result()) is not None:
                    self._finished[folder] = charged(result["costs"]).seconds
                    continue
            # The newest attempt may not have come to what an older one's checkpoint holds.
            beats = (pulse(attempt) for attempt in unit.attempts())
            running += max((float(beat.get("charged_seconds", 0.0)) for beat in beats), default=0.0)
        return running + sum(self._finished.values())

    def _request(self, reason: str) -> None:
        if not self._outside.is_set():
            self._run.halt_file.touch()  # first: if it fails, that is what the driver is to say
        self.reason = reason

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        said = "what is under way keeps the steps it has done"
        try:
            self._request("interrupted")
        except OSError as error:
            self.reason = "interrupted"
            said = f"what is under way goes on to its end ({system_error(error)})"
        print_line(self._console, f"stopping: {said}; once more stops at once")

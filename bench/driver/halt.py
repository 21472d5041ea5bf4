"""How a driver stops early: running units keep their finished steps, and no new unit starts."""

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
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError, system_error

CHECK_SECONDS = 0.5  # between two checks of the limits while units run
COST_SHARE = 0.05  # of one processor, at most, for summing up the costs of a long run
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Halt:
    """A first Ctrl-C or SIGTERM, the time limit, or the suite's budget stop a driver.

    A file in the run directory tells every worker to stop after its current step. A second Ctrl-C
    does not wait for them. Inside ``with``, it handles the signals, and a thread checks the limits
    even while the driver itself works on a unit. In another thread than the main one Python lets
    nobody handle signals: there the limits alone stop a driver.
    """

    def __init__(
        self,
        run: RunDirectory,
        console: Console,
        hours: float | None,  # by the wall clock, from now on
        device_hours: float | None,  # of all units of the run together
    ) -> None:
        self._run, self._console = run, console
        self._end = None if hours is None else time.monotonic() + 3600 * hours
        self._device_seconds = None if device_hours is None else 3600 * device_hours
        self._finished: dict[Path, float] = {}  # charged seconds of units that are done
        self._summed_at: float | None = None  # when the costs were last summed up
        self._pause = 0.0  # seconds before the costs are summed up again
        self._seconds = 0.0  # their sum
        self._lock = threading.Lock()
        self._outside = threading.Event()
        self._outside.set()  # no unit is running
        self._thread = threading.Thread()
        self._former: dict[int, Any] = {}
        self.reason = ""
        self.interrupted = False

    def __enter__(self) -> "Halt":
        self._run.halt_file.unlink(missing_ok=True)  # left by a driver that was killed
        self._outside.clear()
        if threading.current_thread() is threading.main_thread():
            self._former = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._outside.set()
        self._thread.join()
        for number, former in self._former.items():
            signal.signal(number, former)
        self._former = {}
        with suppress(OSError):  # perhaps the very error that stops the driver
            self._run.halt_file.unlink(missing_ok=True)

    def __call__(self) -> bool:
        """Whether no new unit may start."""
        with self._lock:
            if not self.reason:
                self._check_limits()
        return bool(self.reason)

    def conclude(self) -> None:
        """Print why the driver stopped early. Raises KeyboardInterrupt if a person stopped it."""
        if self.interrupted:
            raise KeyboardInterrupt
        if self.reason:
            print_line(self._console, f"stopped early: {self.reason}")

    def _poll(self) -> None:
        while not self._outside.wait(CHECK_SECONDS):
            with suppress(OSError, UserError):  # the driver's own check will report it
                self()

    def _check_limits(self) -> None:
        if self._end is not None and time.monotonic() >= self._end:
            self._request_stop("the time of --stop-after is over")
        elif self._device_seconds is not None and self._charged() >= self._device_seconds:
            budget = f"the suite's budget of {self._device_seconds / 3600:g} device hours"
            self._request_stop(f"{budget} is used up: raise total_device_hours to go on")

    def _charged(self) -> float:
        """Seconds that all units of the run were charged when the costs were last summed up."""
        now = time.monotonic()
        if self._summed_at is None or now >= self._summed_at + self._pause:
            began = time.thread_time()
            self._seconds = self._sum_seconds()
            if self._summed_at is not None:  # the first sum also reads the units of earlier drivers
                self._pause = (time.thread_time() - began) / COST_SHARE
            self._summed_at = now
        return self._seconds

    def _sum_seconds(self) -> float:
        running = 0.0
        for folder in self._run.path.glob("*/*"):
            if folder in self._finished or not (folder / "spec.json").exists():
                continue
            unit = UnitDirectory(folder)
            with suppress(DamagedError):  # its own trial reports it
                if (result := unit.result()) is not None:
                    own = charged(result["costs"]).seconds
                    if "elsewhere" in result:  # samplings, which are units of their own
                        own -= charged(result["elsewhere"]).seconds
                    self._finished[folder] = own
                    continue
                # The newest attempt may not have loaded the checkpoint of an older one yet.
                beats = [pulse(attempt) for attempt in unit.attempts()]
                running += max((_own_seconds(beat) for beat in beats), default=0.0)
        return running + sum(self._finished.values())

    def _request_stop(self, reason: str) -> None:
        if not self._outside.is_set():
            self._run.halt_file.touch()  # first: if this fails, the driver has to report it
        self.reason = reason

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        said = "running units stop after their current step"
        try:
            self._request_stop("interrupted")
        except OSError as error:
            self.reason = "interrupted"
            said = f"running units go on to their end ({system_error(error)})"
        print_line(self._console, f"stopping: {said}; a second Ctrl-C stops at once")


def _own_seconds(beat: dict[str, Any]) -> float:
    """What a unit that runs was charged, without its samplings, which are units of their own."""
    return float(beat.get("charged_seconds", 0.0)) - float(beat.get("elsewhere_seconds", 0.0))

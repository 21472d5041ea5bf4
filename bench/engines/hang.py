"""The hard limit of time: a step that does not come back. Budgets are looked at between steps."""

import time

from bench.attempt import pulse
from bench.store import RunDirectory, UnitId

LOOK_SECONDS = 5.0  # between looks at the files of all that is under way


class HangWatch:
    """Tells which units under way have shown no new step for too long, by this process's clock.

    A unit that waits for a free slot shows nothing either: its time runs from its attempt's start.
    """

    def __init__(self, run: RunDirectory, minutes: float | None) -> None:
        self._run, self._minutes = run, minutes
        self._former: dict[UnitId, int] = {}  # attempts that were there when it was submitted
        self._seen: dict[UnitId, tuple[object, float]] = {}  # the last sign of life, and when
        self._looked = time.monotonic()

    def begin(self, unit: UnitId) -> None:
        """A unit is submitted."""
        if self._minutes is not None:
            self._former[unit] = len(self._run.unit(unit).attempts())

    def end(self, unit: UnitId) -> None:
        """A unit is under way no more."""
        self._former.pop(unit, None)
        self._seen.pop(unit, None)

    def hung(self) -> dict[UnitId, str]:
        """Those that hang, and a sentence that says so."""
        now = time.monotonic()
        if self._minutes is None or now - self._looked < min(LOOK_SECONDS, 15 * self._minutes):
            return {}
        self._looked = now
        for unit, n_former in self._former.items():
            attempts = self._run.unit(unit).attempts()
            if len(attempts) > n_former:
                sign = (len(attempts), pulse(attempts[-1]).get("step"))
                if unit not in self._seen or self._seen[unit][0] != sign:
                    self._seen[unit] = (sign, now)
        return {
            unit: f"no step came to its end in {self._minutes:g} minutes (resources.hang_minutes)"
            for unit, (_, since) in self._seen.items()
            if now - since > 60 * self._minutes
        }

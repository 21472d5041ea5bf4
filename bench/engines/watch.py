"""Units that will not end by themselves: a step that hangs, a machine that is cut off."""

import math
import time
from typing import Any, NamedTuple

from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.tables import Resources
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.run_directory import RunDirectory

CHECK_SECONDS = 10.0  # between looks at the files of all that is under way, at most


class _LastSeen(NamedTuple):
    """What was last seen of a unit, and since when it has been the same."""

    step: Any
    step_since: float
    beat: Any
    beat_since: float


class Watch:
    """Looks at the pulses of all units under way, by this process's clock and no other's.

    Ray notices at once when a process dies, but a cable that was cut not within five minutes
    (measured, with health checks every second). A unit that is given up and lives after all will
    find a newer attempt and stop. Nothing is expected of one that waits for a slot: its time begins
    with its attempt.
    """

    def __init__(self, run: RunDirectory, resources: Resources) -> None:
        self._run = run
        self._hang_minutes = resources.hang_minutes or math.inf
        self._lost_minutes = resources.lost_minutes
        self._former: dict[UnitId, int] = {}  # attempts that were there when it was submitted
        self._signs: dict[UnitId, _LastSeen] = {}
        self._looked = time.monotonic()
        self._pause = min(CHECK_SECONDS, 15 * self._hang_minutes, 15 * self._lost_minutes)

    def begin(self, unit: UnitId) -> None:
        """A unit is submitted."""
        self._former[unit] = len(self._run.unit(unit).attempts())

    def end(self, unit: UnitId) -> None:
        """A unit is under way no more."""
        self._former.pop(unit, None)
        self._signs.pop(unit, None)

    def stuck(self) -> dict[UnitId, str]:
        """Those that hang or are lost, and a sentence that says so; empty between looks."""
        now = time.monotonic()
        if now - self._looked < self._pause:
            return {}
        self._looked = now
        for unit in self._former:
            self._look(unit, now)
        verdicts = {unit: self._verdict(sign, now) for unit, sign in self._signs.items()}
        return {unit: verdict for unit, verdict in verdicts.items() if verdict}

    def _look(self, unit: UnitId, now: float) -> None:
        attempts = self._run.unit(unit).attempts()
        if len(attempts) == self._former[unit]:
            return
        found = pulse(attempts[-1])
        step, beat = (len(attempts), found.get("step")), (len(attempts), found.get("lived"))
        last = self._signs.get(unit, _LastSeen(None, now, None, now))
        self._signs[unit] = _LastSeen(
            step,
            last.step_since if step == last.step else now,
            beat,
            last.beat_since if beat == last.beat else now,
        )

    def _verdict(self, sign: _LastSeen, now: float) -> str:
        if now - sign.beat_since > 60 * self._lost_minutes:
            return f"no sign of life for {self._lost_minutes:g} minutes (resources.lost_minutes)"
        if now - sign.step_since > 60 * self._hang_minutes:
            return f"no step ended within {self._hang_minutes:g} minutes (resources.hang_minutes)"
        return ""

"""Finds units that will not end by themselves: a step that hangs, a machine that is lost."""

import math
import time
import uuid
from typing import Any, NamedTuple

from augbench.bench.engines.starting import read_sign, remove_sign
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.tables import Resources
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.run_directory import RunDirectory

CHECK_SECONDS = 10.0  # between looks at the files of all units under way, at most


class _Submitted(NamedTuple):
    """A unit under way: its attempts before, the ticket of its start, and when it was submitted."""

    n_attempts: int
    ticket: str
    since: float


class _LastSeen(NamedTuple):
    """What was last seen of a unit, and since when it has been the same."""

    step: Any  # None before the attempt
    step_since: float
    beat: Any
    beat_since: float


class Watch:
    """Looks at the signs of life of all units under way, by this process's clock and no other's.

    Ray notices at once when a process dies, but it did not notice a cut cable within five minutes
    (measured, with health checks every second), and a process that stands still not at all. A unit
    that is given up and lives after all will find a newer attempt and stop.

    On a cluster a unit may wait for a slot for hours: nothing is expected before its first sign of
    life. A Ray of our own has a slot for at least one unit, so one of them has to begin.
    """

    def __init__(self, run: RunDirectory, resources: Resources, *, has_slots: bool = False) -> None:
        self._run = run
        self._hang_minutes = resources.hang_minutes or math.inf
        self._lost_minutes = resources.lost_minutes
        self._has_slots = has_slots
        self._submitted: dict[UnitId, _Submitted] = {}
        self._signs: dict[UnitId, _LastSeen] = {}
        self._looked = time.monotonic()
        self._pause = min(CHECK_SECONDS, 15 * self._hang_minutes, 15 * self._lost_minutes)

    def begin(self, unit: UnitId) -> str:
        """A unit is submitted; returns the ticket with which its start has to show life."""
        ticket = uuid.uuid4().hex
        n_attempts = len(self._run.unit(unit).attempts())
        self._submitted[unit] = _Submitted(n_attempts, ticket, time.monotonic())
        return ticket

    def end(self, unit: UnitId) -> None:
        """Forget a unit that is no longer under way."""
        self._submitted.pop(unit, None)
        self._signs.pop(unit, None)
        remove_sign(self._run.unit(unit).path)

    def waiting(self) -> list[UnitId]:
        """The units that have not shown any sign of life yet."""
        now = time.monotonic()
        for unit in self._submitted.keys() - self._signs.keys():
            self._read_signs(unit, now)
        return [unit for unit in self._submitted if unit not in self._signs]

    def stuck(self) -> dict[UnitId, str]:
        """The units that hang or are lost, each with a sentence; empty between looks."""
        now = time.monotonic()
        if now - self._looked < self._pause:
            return {}
        self._looked = now
        for unit in self._submitted:
            self._read_signs(unit, now)
        if self._has_slots and not self._signs:
            return self._not_begun_in_time(now)
        verdicts = {unit: self._why_stuck(sign, now) for unit, sign in self._signs.items()}
        return {unit: verdict for unit, verdict in verdicts.items() if verdict}

    def _not_begun_in_time(self, now: float) -> dict[UnitId, str]:
        reason = f"it did not begin within {self._lost_minutes:g} minutes (resources.lost_minutes)"
        limit = 60 * self._lost_minutes
        return {unit: reason for unit, each in self._submitted.items() if now - each.since > limit}

    def _read_signs(self, unit: UnitId, now: float) -> None:
        directory, submitted = self._run.unit(unit), self._submitted[unit]
        attempts = directory.attempts()
        step: Any
        beat: Any
        if len(attempts) > submitted.n_attempts:
            found = pulse(attempts[-1])
            step, beat = (len(attempts), found.get("step")), (len(attempts), found.get("lived"))
        elif sign := read_sign(directory.path, submitted.ticket):
            step, beat = None, (sign["process"], sign["time"])
        else:
            return
        last = self._signs.get(unit, _LastSeen(None, now, None, now))
        self._signs[unit] = _LastSeen(
            step,
            last.step_since if step == last.step else now,
            beat,
            last.beat_since if beat == last.beat else now,
        )

    def _why_stuck(self, sign: _LastSeen, now: float) -> str:
        if now - sign.beat_since > 60 * self._lost_minutes:
            return f"no sign of life for {self._lost_minutes:g} minutes (resources.lost_minutes)"
        if sign.step is not None and now - sign.step_since > 60 * self._hang_minutes:
            return f"no step ended within {self._hang_minutes:g} minutes (resources.hang_minutes)"
        return ""

"""Units that hang, are lost, wait for a slot or go on, as the driver sees them by their files."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from augbench.bench.engines import watch
from augbench.bench.engines.watch import CHECK_SECONDS, Watch
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.tables import Resources
from augbench.bench.store.files import append_line, replace_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.unit_directory import UnitDirectory

LOST_SECONDS = 60 * Resources().lost_minutes
UNIT = UnitId("trials", "0123456789ab")


class Clock:
    """The driver's, which goes on when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: self.now))

    def watched_for(self, sight: Watch, seconds: float) -> dict[UnitId, str]:
        """What is stuck after so many seconds of looking, one look every CHECK_SECONDS."""
        until, found = self.now + seconds, {}
        while self.now < until:
            self.now += CHECK_SECONDS
            found = sight.stuck()
        return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def unit(tmp_path: Path) -> UnitDirectory:
    return RunDirectory(tmp_path).add_unit(UNIT, {})


def show_sign(unit: UnitDirectory, ticket: str, moment: float) -> None:
    replace_json(unit.path / "starting.json", {"ticket": ticket, "time": moment, "process": 1})


def begin_attempt(unit: UnitDirectory) -> Any:
    attempt = unit.begin_attempt()
    append_line(attempt.log_file, {"event": "start"})
    return attempt


def test_a_unit_that_waits_for_a_slot_is_not_stuck(
    clock: Clock, unit: UnitDirectory, tmp_path: Path
) -> None:
    begin_attempt(unit)  # of a former try
    sight = Watch(RunDirectory(tmp_path), Resources(hang_minutes=1.0))
    sight.begin(UNIT)
    assert not clock.watched_for(sight, 10 * LOST_SECONDS)


def test_a_start_that_stands_still_is_lost_and_a_slow_one_is_not(
    clock: Clock, unit: UnitDirectory, tmp_path: Path
) -> None:
    sight = Watch(RunDirectory(tmp_path), Resources(hang_minutes=1.0))
    ticket = sight.begin(UNIT)
    assert sight.waiting() == [UNIT]
    for number in range(30):  # a beat each time, for longer than any limit
        show_sign(unit, ticket, number)
        assert not clock.watched_for(sight, CHECK_SECONDS)
    assert not sight.waiting()
    for _ in range(int(LOST_SECONDS / CHECK_SECONDS)):
        show_sign(unit, "a ghost's", clock.now)
        assert not clock.watched_for(sight, CHECK_SECONDS)
    assert "no sign of life" in clock.watched_for(sight, CHECK_SECONDS)[UNIT]


def test_a_ray_of_our_own_has_to_begin_one_of_its_units(
    clock: Clock, unit: UnitDirectory, tmp_path: Path
) -> None:
    run, other = RunDirectory(tmp_path), UnitId("trials", "ba9876543210")
    run.add_unit(other, {})
    sight = Watch(run, Resources(), has_slots=True)
    ticket = sight.begin(UNIT)
    sight.begin(other)
    assert not clock.watched_for(sight, LOST_SECONDS)
    found = clock.watched_for(sight, CHECK_SECONDS)
    assert set(found) == {UNIT, other}
    assert "it did not begin within 2 minutes (resources.lost_minutes)" in found[UNIT]
    show_sign(unit, ticket, 1)  # with one GPU the others wait for it
    assert not clock.watched_for(sight, LOST_SECONDS)


def test_a_unit_whose_pulse_stops_is_lost(
    clock: Clock, unit: UnitDirectory, tmp_path: Path
) -> None:
    sight = Watch(RunDirectory(tmp_path), Resources())
    sight.begin(UNIT)
    attempt = begin_attempt(unit)
    # While it beats it is not, however long its step takes, whatever its clock on the wall says.
    for beat in range(30):
        replace_json(attempt.pulse_file, {"time": -1.0, "lived": beat, "step": 1})
        assert not clock.watched_for(sight, CHECK_SECONDS)
    assert not clock.watched_for(sight, LOST_SECONDS)
    assert "no sign of life" in clock.watched_for(sight, CHECK_SECONDS)[UNIT]
    sight.end(UNIT)
    assert not clock.watched_for(sight, CHECK_SECONDS)


def test_a_unit_whose_step_does_not_end_hangs_though_its_pulse_beats(
    clock: Clock, unit: UnitDirectory, tmp_path: Path
) -> None:
    sight = Watch(RunDirectory(tmp_path), Resources(hang_minutes=1.0))
    sight.begin(UNIT)
    attempt = begin_attempt(unit)
    for beat in range(40):  # a step every half minute
        replace_json(attempt.pulse_file, {"lived": beat, "step": beat // 3})
        assert not clock.watched_for(sight, CHECK_SECONDS)
    found: dict[UnitId, str] = {}
    for beat in range(40, 48):
        replace_json(attempt.pulse_file, {"lived": beat, "step": 13})
        found = clock.watched_for(sight, CHECK_SECONDS)
    assert "no step ended within 1 minutes" in found[UNIT]

"""What is lost with a process, worked out by hand from the files it left."""

import platform
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.bench.store.attempt import Attempt, SupersededError
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.attempt_log import LEASE_SECONDS, has_stopped, is_alive, lifetime, pulse
from augbench.bench.store.files import append_line, replace_json
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.unit_directory import UnitDirectory
from by_hand import START

CPU = torch.device("cpu")


def begin(folder: Path) -> Attempt:
    return Attempt(UnitDirectory(folder), Ledger(), device=CPU, shared=False)


def left_behind(folder: Path, lived: float, time: float = 1000.0, **start: Any) -> AttemptDirectory:
    """The files of a process that was killed."""
    attempt = UnitDirectory(folder).begin_attempt()
    append_line(attempt.log_file, {**START, "time": time, **start})
    replace_json(attempt.pulse_file, {"time": time, "lived": lived})
    return attempt


def test_what_no_checkpoint_kept_is_wasted(tmp_path: Path) -> None:
    left_behind(tmp_path, lived=30.0)
    left_behind(tmp_path, lived=12.0)
    with begin(tmp_path) as attempt:
        wasted = attempt.resumed(step=4, kept_seconds=25.0, fingerprint="f")
    assert wasted == (30.0 + 12.0 - 25.0, 2)


def test_a_first_attempt_has_lost_nothing(tmp_path: Path) -> None:
    with begin(tmp_path) as attempt:
        assert attempt.resumed(step=0, kept_seconds=0.0, fingerprint="f") == (0.0, 0)


def test_a_copied_run_directory_has_lost_no_more(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    left_behind(tmp_path / "a", lived=30.0)
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    assert lifetime(UnitDirectory(tmp_path / "b").attempts()[0]) == 30.0


def test_an_attempt_that_ended_lived_until_its_end(tmp_path: Path) -> None:
    attempt = left_behind(tmp_path, lived=30.0)
    append_line(attempt.log_file, {"event": "end", "time": 0.0, "lived": 30.5})
    assert lifetime(attempt) == 30.5


def test_a_process_that_died_before_its_first_word_is_no_harm(tmp_path: Path) -> None:
    empty = UnitDirectory(tmp_path).begin_attempt()
    assert lifetime(empty) == 0.0
    with begin(tmp_path) as attempt:
        assert attempt.resumed(step=0, kept_seconds=0.0, fingerprint="f").seconds == 0.0


def test_a_process_beats_while_it_lives(tmp_path: Path) -> None:
    with begin(tmp_path) as attempt:
        attempt.progress(3, "search", 0.5)
        while not is_alive(attempt.directory):
            pass
    assert not is_alive(left_behind(tmp_path, lived=1.0, time=10.0))


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_beat_of_another_hour_is_none(tmp_path: Path, hours: int) -> None:
    """The clock on the wall may have been set back since."""
    assert not is_alive(left_behind(tmp_path, lived=1.0, time=time.time() + 3600 * hours))


def test_a_life_is_as_long_as_it_was_whatever_the_clock_on_the_wall_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall_clock = time.time
    began = time.perf_counter()
    with begin(tmp_path) as attempt:
        monkeypatch.setattr(time, "time", lambda: wall_clock() - 24 * 3600)
        attempt.beat()
        assert 0 < pulse(attempt.directory)["lived"] <= time.perf_counter() - began
        monkeypatch.setattr(time, "time", lambda: wall_clock() + 24 * 3600)
    assert 0 < lifetime(attempt.directory) <= time.perf_counter() - began


@pytest.mark.parametrize(
    ("error", "named"), [(RuntimeError("broken"), True), (KeyboardInterrupt(), False)]
)
def test_an_error_is_named_and_an_interruption_is_none(
    tmp_path: Path, error: BaseException, named: bool
) -> None:
    attempt = begin(tmp_path)

    def work() -> None:
        with attempt:
            raise error

    with pytest.raises(type(error)):
        work()
    last = attempt.directory.log()[-1]
    assert last["event"] == "end"
    assert ("error" in last) == named


def test_an_attempt_that_is_overtaken_stops_and_adds_nothing_to_its_life(tmp_path: Path) -> None:
    unit = tmp_path / "trials" / "abc"
    unit.mkdir(parents=True)
    first = begin(unit)

    def work() -> None:
        with first:
            first.beat()
            first.check_lease()
            left_behind(unit, lived=0.0, host="elsewhere")
            first.beat()
            first.check_lease()

    with pytest.raises(SupersededError, match="a newer attempt on elsewhere works on trials/abc: "):
        work()
    assert first.directory.log()[-1]["error"] == "SupersededError"
    assert lifetime(first.directory) == pulse(first.directory)["lived"]


def test_where_the_lock_can_be_trusted_nothing_is_watched(tmp_path: Path) -> None:
    began = time.monotonic()
    assert has_stopped(left_behind(tmp_path, lived=1.0, host=platform.node()), 60.0)
    end_event = left_behind(tmp_path, lived=1.0, host="elsewhere")
    append_line(end_event.log_file, {"event": "end", "time": 0.0})
    assert has_stopped(end_event, 60.0)
    assert time.monotonic() - began < LEASE_SECONDS


def test_a_process_elsewhere_is_over_once_it_shows_no_sign_of_life(tmp_path: Path) -> None:
    """Whatever times it has written: they are of another clock."""
    attempt = left_behind(tmp_path, lived=0.0, host="elsewhere", time=time.time() + 3600)
    stop = threading.Event()

    def beat() -> None:
        lived = 0.0
        while not stop.wait(0.2):
            lived += 0.2
            replace_json(attempt.pulse_file, {"time": 5.0, "lived": lived})

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        assert not has_stopped(attempt, 2 * LEASE_SECONDS)
    finally:
        stop.set()
        thread.join()
    began = time.monotonic()
    assert has_stopped(attempt, 10 * LEASE_SECONDS)
    assert time.monotonic() - began >= LEASE_SECONDS

"""When a driver stops early, and what it says where it cannot ask the units under way."""

import io
import shutil
import signal
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from augbench.bench.driver import halt
from augbench.bench.driver.halt import Halt
from augbench.bench.plan.spec import UnitId
from augbench.bench.store.files import replace_text, write_json
from augbench.bench.store.run_directory import RunDirectory
from by_hand import costs, end


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    (tmp_path / "run").mkdir()
    return RunDirectory(tmp_path / "run")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def finished(run: RunDirectory, digest: str) -> Path:
    """The file of the result of a unit that was charged three seconds."""
    directory = run.add_unit(UnitId("trials", digest), {})
    end(directory, costs=costs(pretrain=0.5, search=1.5, validate=1.0))
    return directory.result_file


def beating(run: RunDirectory, digest: str, *seconds: float | None) -> None:
    """A unit whose attempts were charged so much; None is one that has not come so far."""
    directory = run.add_unit(UnitId("trials", digest), {})
    for charged in seconds:
        beat = {"time": time.time(), "lived": 1.0}
        known = {} if charged is None else {"charged_seconds": charged}
        write_json(directory.begin_attempt().pulse_file, {**beat, **known})


def test_a_budget_counts_what_is_done_and_what_is_under_way(
    run: RunDirectory, console: Console
) -> None:
    finished(run, "one")
    beating(run, "two", 2.0, None)  # the second attempt has a checkpoint to load
    stops = Halt(run, console, None, 5.5 / 3600)
    assert not stops()
    beating(run, "three", 1.0)
    assert stops()
    assert "the suite's budget of 0.00152778 device hours is used up" in stops.reason
    stops.conclude()
    assert "stopped early: the suite's budget" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_damaged_result_is_its_own_trials_concern(run: RunDirectory, console: Console) -> None:
    replace_text(finished(run, "one"), "{")
    finished(run, "two")
    assert not Halt(run, console, None, 3.5 / 3600)()
    assert Halt(run, console, None, 2.5 / 3600)()


def test_a_first_look_that_takes_long_is_not_paid_for_later(
    run: RunDirectory, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the time for which a look waits, as for a share."""
    now, computed = 0.0, 0.0
    monkeypatch.setattr(halt.time, "monotonic", lambda: now)
    monkeypatch.setattr(halt.time, "thread_time", lambda: computed)
    stops = Halt(run, console, None, 1.0)
    looks: list[float] = []

    def reckon() -> float:
        nonlocal now, computed
        looks.append(now)
        now, computed = now + 5.0, computed + 0.5
        return 0.0

    monkeypatch.setattr(stops, "_sum_seconds", reckon)
    for _ in range(200):
        assert not stops()
        now += 0.1
    assert looks[:2] == pytest.approx([0.0, 5.1])
    pauses = [later - sooner for sooner, later in pairwise(looks[1:])]
    assert pauses == pytest.approx([10.0 + 0.1] * len(pauses), abs=0.11)


def test_time_that_is_over_between_two_rungs_leaves_no_file(
    run: RunDirectory, console: Console
) -> None:
    stops = Halt(run, console, 1e-9, None)
    assert stops()
    assert not run.halt_file.exists()


def test_units_under_way_are_asked_although_the_driver_is_busy(
    run: RunDirectory, console: Console
) -> None:
    with Halt(run, console, 0.2 / 3600, None):
        for _ in range(500):
            if run.halt_file.exists():
                break
            time.sleep(0.1)
        assert run.halt_file.exists()
    assert not run.halt_file.exists()


def test_where_units_cannot_be_asked_the_driver_says_so(
    run: RunDirectory, console: Console
) -> None:
    with Halt(run, console, 1e-9, None) as stops:
        shutil.rmtree(run.path)
        for _ in range(2):  # whoever looked first
            with pytest.raises(FileNotFoundError):
                stops()
            time.sleep(1.5 * halt.CHECK_SECONDS)
        assert not stops.reason
        signal.raise_signal(signal.SIGINT)
        assert stops.interrupted
        assert stops()  # no more are handed out
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "stopping: running units go on to their end (No such file or directory" in said
    with pytest.raises(KeyboardInterrupt):
        stops.conclude()


def test_in_a_thread_it_leaves_signals_alone_and_limits_still_stop(
    run: RunDirectory, console: Console
) -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def drive() -> None:
        with Halt(run, console, 0.0, None) as stops:
            seen.extend([stops(), signal.getsignal(signal.SIGINT) is before])

    thread = threading.Thread(target=drive)
    thread.start()
    thread.join()
    assert seen == [True, True]
    assert signal.getsignal(signal.SIGINT) is before

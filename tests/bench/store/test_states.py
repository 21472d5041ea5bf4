"""What became of trials, on a run directory made by hand."""

import shutil
from pathlib import Path

import pytest

from augbench.bench.store.files import hold_lock, write_json
from augbench.bench.store.learned import read_learned
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials, skip_lines, trials_now
from by_hand import begin, finish, made_by_hand


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return made_by_hand(tmp_path)


def test_a_trial_is_done_when_its_evaluations_are(run: RunDirectory) -> None:
    plan = open_run(run.path)[1].plan
    assert read_trials(run, plan)[0]["state"] == "waiting"
    finish(run, "first")
    finish(run, "second")
    trial = read_trials(run, plan)[0]
    assert (trial["state"], trial["points_scored"], trial["points_known"]) == ("done", 3, 3)


def test_what_can_still_change_is_shown_before_what_cannot(run: RunDirectory) -> None:
    plan = open_run(run.path)[1].plan
    finish(run, "first", "diverged: the loss is nan")
    assert read_trials(run, plan)[0]["state"] == "waiting"
    finish(run, "second")
    assert read_trials(run, plan)[0]["state"] == "diverged"
    assert read_trials(run, plan)[0]["reason"] == "the loss is nan"


def test_a_skipped_trial_shows_why_and_nothing_else(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    plan = open_run(run.path)[1].plan
    write_json(run.skipped_file, {plan[0].spec.unit.digest: "not for this"})
    assert read_points(run, plan) == read_learned(run, plan) == []
    trial = read_trials(run, plan)[0]
    assert (trial["state"], trial["reason"]) == ("skipped", "not for this")


def test_skips_of_one_reason_are_one_line() -> None:
    def trial(task: str, method: str, state: str, reason: str) -> dict[str, str]:
        return {"task": task, "method": method, "state": state, "reason": reason}

    trials = [
        trial("a", "m", "skipped", "this"),
        trial("a", "n", "failed", "this"),
        trial("b", "m", "skipped", "this"),
        trial("a", "m", "skipped", "this"),
        trial("b", "n", "skipped", "that"),
    ]
    assert skip_lines(trials) == ["3 skipped (m on a, m on b): this", "1 skipped (n on b): that"]


def test_a_trial_that_its_driver_has_handed_out_is_starting_until_its_attempt(
    run: RunDirectory,
) -> None:
    _, suite = open_run(run.path)
    planned, *others = suite.plan

    def states() -> list[str]:
        return [trial["state"] for trial in trials_now(run, [planned, *others])]

    before = states()
    shutil.rmtree(run.unit(planned.spec.unit).path)
    with hold_lock(run.path / "lock", "busy"):
        assert states() == ["waiting", *before[1:]]
        unit = run.add_unit(planned.spec.unit, planned.spec.to_json())
        assert states() == ["starting", *before[1:]]
        begin(unit)
        assert states() == ["waiting", *before[1:]]  # interrupted: nobody is at work
    shutil.rmtree(unit.path / "attempts")
    assert states() == ["waiting", *before[1:]]

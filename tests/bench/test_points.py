"""Both readings of the costs, worked out by hand on a run directory made by hand."""

from pathlib import Path
from typing import Any

import pytest

from bench.files import append_line, write_json
from bench.ledger import PHASES
from bench.points import open_run, read_learned, read_points
from bench.spec import EvaluationSpec
from bench.states import read_trials, skip_lines
from bench.store import SCHEMA, RunDirectory

SUITE = {
    "name": "hand",
    "folds": 1,
    "tasks": {"digits": {}},
    "methods": {"random_policy": {"n_policies": 3}},
}
POLICIES = ("first", "second", "first")  # the third artifact is the first policy again
SEARCH_SECONDS = (10.0, 20.0, 30.0)
LEARNED = {"transform": "t", "weight": 1.0, "magnitude": 0.5, "value": 2.5, "unit": "hertz"}
RETRAIN_SECONDS = {"first": 100.0, "second": 200.0}


def costs(phase: str, seconds: float) -> dict[str, dict[str, Any]]:
    """Costs in one phase; 7 samples forward and 3 backward a second, evaluation beside it."""
    nothing = {"seconds": 0.0, "steps": 0, "forward": 0, "backward": 0}
    made: dict[str, dict[str, Any]] = {name: dict(nothing) for name in PHASES}
    made[phase] |= {"seconds": seconds, "forward": int(7 * seconds), "backward": int(3 * seconds)}
    made["evaluate"] |= {"seconds": 1e6, "forward": 10**9}
    return made


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """A trial of three points that share two evaluations, of which none is done."""
    write_json(tmp_path / "run.json", {"schema": SCHEMA, "name": "hand", "suite": SUITE})
    run, suite = open_run(tmp_path)
    spec = suite.plan[0].spec
    directory = run.add_unit(spec.unit, spec.to_json())
    attempt = directory.begin_attempt()
    append_line(
        attempt.log_file,
        {"event": "start", "time": 0.0, "device": "cpu", "shared": False},
    )
    directory.policies.mkdir()
    for name in set(POLICIES):
        write_json(directory.policies / f"{name}.json", {"policy": name})
    for number, (name, seconds) in enumerate(zip(POLICIES, SEARCH_SECONDS, strict=True), 1):
        append_line(
            attempt.points_file,
            {
                "point": number,
                "step": number,
                "kind": "policy",
                "policy": name,
                "costs": costs("search", seconds),
                "learned": {"loss": 0.5, "layers": [[LEARNED], [LEARNED, LEARNED]]}
                if number == 2
                else {},
            },
        )
    write_json(directory.path / "result.json", {"state": "done"})
    return run


def finish(run: RunDirectory, name: str, state: str = "done") -> None:
    """Put the result of a policy's evaluation into the run."""
    _, suite = open_run(run.path)
    spec = suite.plan[0].spec
    evaluation = EvaluationSpec(spec.task, {"policy": name}, spec.fold, spec.seed)
    directory = run.add_unit(evaluation.unit, evaluation.to_json())
    paid = costs("retrain", RETRAIN_SECONDS[name])
    if state == "done":
        row = {"point": 1, "metric": "accuracy", "valid": 0.5, "test": 0.4, "costs": paid}
        append_line(directory.begin_attempt().points_file, row)
    write_json(directory.path / "result.json", {"state": state, "costs": paid})


def points(run: RunDirectory) -> list[dict[str, Any]]:
    return read_points(run, open_run(run.path)[1].plan)


def test_the_two_readings_of_the_hours(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    read = points(run)
    # One retraining each, and every retraining so far: the policy shown twice is retrained once.
    assert [round(p["hours_paper"] * 3600) for p in read] == [10 + 100, 20 + 200, 30 + 100]
    assert [round(p["hours_full"] * 3600) for p in read] == [10 + 100, 20 + 300, 30 + 300]


def test_the_two_readings_of_the_samples(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    read = points(run)
    assert [p["forward_paper"] for p in read] == [7 * 110, 7 * 220, 7 * 130]
    assert [p["forward_full"] for p in read] == [7 * 110, 7 * 320, 7 * 330]
    assert [p["backward_paper"] for p in read] == [3 * 110, 3 * 220, 3 * 130]
    assert [p["backward_full"] for p in read] == [3 * 110, 3 * 320, 3 * 330]


def test_a_point_waits_for_the_ones_before_it(run: RunDirectory) -> None:
    assert points(run) == []
    finish(run, "second")
    assert points(run) == []
    finish(run, "first")
    assert [p["point"] for p in points(run)] == [1, 2, 3]


def test_a_retraining_that_diverged_costs_and_shows_nothing(run: RunDirectory) -> None:
    finish(run, "first", "diverged: the loss is nan")
    finish(run, "second")
    read = points(run)
    assert [p["point"] for p in read] == [2]
    assert round(read[0]["hours_full"] * 3600) == 20 + 300


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
    assert points(run) == read_learned(run, plan) == []
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


def test_what_layers_have_learned_is_a_record_for_each_operation(run: RunDirectory) -> None:
    learned = read_learned(run, open_run(run.path)[1].plan)
    assert [(r["point"], r["layer"], r["transform"], r["value"]) for r in learned] == [
        (2, 1, "t", 2.5),
        (2, 2, "t", 2.5),
        (2, 2, "t", 2.5),
    ]

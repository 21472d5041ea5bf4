"""Both readings of the costs, worked out by hand on a run directory made by hand."""

from pathlib import Path
from typing import Any

import pytest

from augbench.bench.store.points import open_run, read_learned, read_points
from augbench.bench.store.run_directory import RunDirectory
from by_hand import finish, made_by_hand


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return made_by_hand(tmp_path)


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


def test_what_layers_have_learned_is_a_record_for_each_operation(run: RunDirectory) -> None:
    learned = read_learned(run, open_run(run.path)[1].plan)
    assert [(r["point"], r["layer"], r["transform"], r["value"]) for r in learned] == [
        (2, 1, "t", 2.5),
        (2, 2, "t", 2.5),
        (2, 2, "t", 2.5),
    ]

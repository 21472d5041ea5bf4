"""Both readings of the costs, worked out by hand on a run directory made by hand."""

from pathlib import Path
from typing import Any

import pytest

from augbench.bench.store.learned import read_learned
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import RunDirectory
from by_hand import BUSY, begin, costs, finish, made_by_hand, model_row


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return made_by_hand(tmp_path)


def points(run: RunDirectory) -> list[dict[str, Any]]:
    return read_points(run, open_run(run.path)[1].plan)


def test_the_two_readings_of_the_hours(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    read = points(run)
    # One retraining each, and all retrainings so far: the policy shown twice is retrained once.
    assert [round(p["hours_paper"] * 3600) for p in read] == [10 + 100, 20 + 200, 30 + 100]
    assert [round(p["hours_full"] * 3600) for p in read] == [10 + 100, 20 + 300, 30 + 300]


def test_the_wall_time_has_every_retraining_and_what_no_method_is_charged(
    run: RunDirectory,
) -> None:
    finish(run, "first")
    finish(run, "second")
    # Each unit by hand evaluates for a million seconds: the trial, then one and two retrainings.
    walls = [round(p["hours_wall"] * 3600) for p in points(run)]
    assert walls == [2_000_000 + 110, 3_000_000 + 320, 3_000_000 + 330]


def test_the_two_readings_of_the_samples(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    read = points(run)
    assert [p["forward_paper"] for p in read] == [7 * 110, 7 * 220, 7 * 130]
    assert [p["forward_full"] for p in read] == [7 * 110, 7 * 320, 7 * 330]
    # A fifth of the search and a tenth of a retraining is validation, where nothing goes backward.
    assert [p["backward_paper"] for p in read] == [3 * (8 + 90), 3 * (16 + 180), 3 * (24 + 90)]
    assert [p["backward_full"] for p in read] == [3 * (8 + 90), 3 * (16 + 270), 3 * (24 + 270)]


def test_either_sum_can_be_drawn_with_validation_and_without(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    read = points(run)

    def rounded(column: str, scale: float) -> list[int]:
        return [round(point[f"{column}_without_validation"] * scale) for point in read]

    assert rounded("hours_paper", 3600) == [8 + 90, 16 + 180, 24 + 90]
    assert rounded("hours_full", 3600) == [8 + 90, 16 + 270, 24 + 270]
    assert rounded("forward_paper", 1) == [7 * (8 + 90), 7 * (16 + 180), 7 * (24 + 90)]
    assert rounded("forward_full", 1) == [7 * (8 + 90), 7 * (16 + 270), 7 * (24 + 270)]


def test_the_share_of_the_time_in_which_a_processor_worked(run: RunDirectory) -> None:
    finish(run, "first")
    finish(run, "second")
    assert [point["busy"] for point in points(run)] == pytest.approx([BUSY] * 3)


@pytest.mark.parametrize(
    ("device", "seconds", "cpu_share", "expected"),
    [
        ("cpu", 50.0, 0.5, 0.5),
        ("cpu", 50.0, 1.7, 1.0),  # several threads
        ("cpu", 0.05, 0.5, 1.0),  # a pause of the system says nothing about the trial
        ("a GPU", 50.0, 0.5, 1.0),  # for which the processor waits
    ],
)
def test_a_processor_that_was_elsewhere_shows_where_that_can_be_told(
    tmp_path: Path, device: str, seconds: float, cpu_share: float, expected: float
) -> None:
    (tmp_path / "other").mkdir()
    run = made_by_hand(tmp_path / "other")
    planned = open_run(run.path)[1].plan[0]
    unit = run.unit(planned.spec.unit)
    unit.set_aside()
    unit = run.add_unit(planned.spec.unit, planned.spec.to_json())
    paid = costs(search=seconds)
    paid["search"]["cpu_seconds"] = cpu_share * seconds
    log = begin(unit, model_row(1, costs=paid)).log_file
    log.write_text(log.read_text().replace('"cpu"', f'"{device}"'))
    (point,) = read_points(run, [planned])
    assert (point["device"], point["busy"]) == (device, pytest.approx(expected))


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

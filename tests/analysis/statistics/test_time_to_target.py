import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augbench.analysis.statistics.time_to_target import (
    geometric_mean_speedup,
    median_time,
    time_to_target,
)

nan, inf = np.nan, np.inf


def target(points, goal=0.7):
    """Of points (x, valid, test)."""
    x, valid, test = np.array(points, dtype=float).reshape(-1, 3).T
    return time_to_target(x, valid, test, goal)


RUN = [(1, 0.5, 0.4), (2, 0.7, 0.6), (3, 0.6, 0.9), (4, 0.8, 0.5)]


def test_the_target_is_met_in_validation_and_the_test_value_is_only_reported():
    assert target(RUN) == (2, 0.6)
    assert target(RUN, 0.75) == (4, 0.5)
    assert target([(x, valid, 1 - test) for x, valid, test in RUN]).time == 2


def test_a_target_that_is_never_met_takes_for_ever():
    time, test = target(RUN, 0.81)
    assert time == inf
    assert np.isnan(test)


def test_a_run_without_a_point_never_arrives():
    assert target([]).time == inf


def test_points_with_a_nan_are_none():
    assert target([(1, nan, 0.4), (nan, 0.9, 0.9), (2, 0.9, 0.6)]) == (2, 0.6)


def test_of_points_at_one_time_the_best_by_validation_is_reported():
    assert target([(2, 0.7, 0.9), (2, 0.8, 0.5)]) == (2, 0.5)
    assert target([(2, 0.8, 0.9), (2, 0.8, 0.5)]) == (2, 0.5)


level = st.sampled_from([0.5, 0.6, 0.7, 0.8])
points = st.lists(st.tuples(st.integers(1, 5), level, level), min_size=1, max_size=8)


@given(points, level, st.randoms())
def test_rows_may_come_in_any_order_and_twice(run, goal, random):
    found = target(run, goal)
    again = target(random.sample(run, len(run)) + run, goal)
    assert again.time == found.time
    assert again.test == pytest.approx(found.test, nan_ok=True)


@given(points, level)
def test_the_future_does_not_matter(run, goal):
    found = target(run, goal)
    known = [point for point in run if point[0] <= found.time]
    assert target(known, goal).time == found.time


@given(points)
def test_a_higher_target_takes_no_less_time(run):
    times = [target(run, goal).time for goal in (0.5, 0.6, 0.7, 0.8, 0.9)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([3.0, 1.0, 2.0], 2.0),
        ([1.0, 2.0, inf], 2.0),
        ([1.0, inf, inf], inf),
        ([1.0, inf], inf),  # between a number and infinity
        ([1.0, 2.0], 1.5),
        ([inf, inf], inf),
        ([1.0, nan, 3.0], 2.0),
        ([], nan),
        ([nan], nan),
    ],
)
def test_infinity_takes_part_in_the_median(times, median):
    assert median_time(np.array(times)) == pytest.approx(median, nan_ok=True)


def test_the_speedup_is_the_geometric_mean_over_tasks():
    speedup = geometric_mean_speedup(
        np.array([1.0, 4.0]), np.array([2.0, 2.0]), np.array([10.0, 10.0])
    )
    assert speedup == pytest.approx(1.0)  # twice as fast, then half


def test_a_time_never_reached_counts_as_the_budget_of_its_task_and_a_second():
    times, reference = np.array([2.0, 1.0]), np.array([inf, inf])
    found = geometric_mean_speedup(times, reference, np.array([8.0, 2.0]))
    assert found == pytest.approx(np.sqrt((8 + 1 / 3600) / 2 * (2 + 1 / 3600)))
    assert geometric_mean_speedup(reference, reference, np.array([8.0, 2.0])) == 1.0
    seconds = geometric_mean_speedup(times, reference, np.array([9.0, 9.0]), second=1)
    assert seconds == pytest.approx(np.sqrt(5 * 10))


def test_a_task_with_an_unknown_time_is_left_out_of_the_speedup():
    found = geometric_mean_speedup(
        np.array([1.0, nan, 1.0]), np.array([3.0, 9.0, nan]), np.array([9.0] * 3)
    )
    assert found == pytest.approx(3.0)
    assert np.isnan(geometric_mean_speedup(np.array([nan]), np.array([1.0]), np.array([9.0])))

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augbench.analysis.statistics.anytime import carry_forward, normalised_area

X = np.array([1.0, 2.0, 4.0])
VALUES = np.array([0.5, 0.6, 0.8])
EMPTY = np.array([])
nan = np.nan


def test_a_value_holds_until_the_next_and_there_is_none_before_and_after():
    grid = np.array([0.0, 0.99, 1.0, 1.5, 2.0, 3.9, 4.0, 4.01])
    held = carry_forward(X, VALUES, grid)
    np.testing.assert_array_equal(held, [nan, nan, 0.5, 0.5, 0.6, 0.6, 0.8, nan])


def test_of_points_at_one_time_the_last_counts():
    held = carry_forward(np.array([1.0, 2.0, 2.0]), VALUES, np.array([1.0, 2.0]))
    assert held.tolist() == [0.5, 0.8]


def test_the_area_by_hand():
    assert normalised_area(X, VALUES) == pytest.approx((0.5 * 1 + 0.6 * 2) / 3)


@pytest.mark.parametrize(
    ("start", "end", "area"),
    [
        (0.0, 4.0, (0.5 * 1 + 0.6 * 2) / 4),  # nothing before the first point
        (1.0, 8.0, (0.5 * 1 + 0.6 * 2) / 7),  # nothing after the last
        (1.5, 3.0, (0.5 * 0.5 + 0.6 * 1) / 1.5),
        (2.5, 3.0, 0.6),
        (0.0, 0.5, 0.0),
        (5.0, 6.0, 0.0),
        (2.0, 2.0, 0.6),
        (4.0, 4.0, 0.8),
        (0.5, 0.5, nan),
    ],
)
def test_a_window_is_what_the_area_is_divided_by(start, end, area):
    found = normalised_area(X, VALUES, start=start, end=end)
    assert found == pytest.approx(area, nan_ok=True)


def test_runs_of_unequal_budgets_compare_in_one_window():
    longer = (np.append(X, 9.0), np.append(VALUES, 0.8))
    assert normalised_area(*longer) > normalised_area(X, VALUES)
    assert normalised_area(*longer, end=4.0) == pytest.approx(normalised_area(X, VALUES))


def test_one_point_has_its_own_value_and_none_has_nothing():
    assert normalised_area(X[:1], VALUES[:1]) == 0.5
    assert np.isnan(normalised_area(EMPTY, EMPTY))
    assert np.isnan(carry_forward(EMPTY, EMPTY, X)).all()


# Coarse, so that ties in x are frequent.
curve = st.lists(
    st.tuples(st.sampled_from([1.0, 2.0, 3.0, 5.0]), st.sampled_from([0.1, 0.4, 0.6, 0.9])),
    min_size=1,
    max_size=8,
).map(lambda points: sorted(points))
GRID = np.arange(0, 7, 0.5)


@given(curve)
def test_a_running_best_never_falls(points):
    x, values = np.array(points).T
    held = carry_forward(x, np.maximum.accumulate(values), GRID)
    assert (np.diff(held[~np.isnan(held)]) >= 0).all()


@given(curve, st.sampled_from(GRID.tolist()))
def test_a_value_uses_nothing_of_the_future(points, now):
    x, values = np.array(points).T
    past = x <= now
    then = carry_forward(x, values, GRID)[now >= GRID]
    known = carry_forward(x[past], values[past], GRID[now >= GRID])
    inside = ~np.isnan(known)
    np.testing.assert_array_equal(then[inside], known[inside])


@given(curve)
def test_a_run_merged_with_itself_is_the_same_run(points):
    x, values = np.array(points).T
    twice = np.array(sorted(points + points)).T
    np.testing.assert_array_equal(carry_forward(*twice, GRID), carry_forward(x, values, GRID))
    assert normalised_area(*twice) == pytest.approx(normalised_area(x, values))


@given(curve)
def test_the_area_is_the_mean_of_the_curve_on_a_fine_grid(points):
    x, values = np.array(points).T
    if x[0] < x[-1]:
        middles = np.arange(x[0] + 0.005, x[-1], 0.01)
        expected = carry_forward(x, values, middles).mean()
        assert normalised_area(x, values) == pytest.approx(expected)

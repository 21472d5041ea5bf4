import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.aggregate import (
    interquartile_mean,
    optimality_gap,
    probability_of_improvement,
)

nan, inf = np.nan, np.inf
values = st.lists(st.floats(-5, 5), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("runs", "mean"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0, 6.0], 3.0),  # a quarter of 3 is none
        ([9.0, 1.0, 2.0, 6.0], 4.0),
        ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 60.0, -70.0], 2.5),
        ([1.0, nan, 2.0, 6.0, nan], 3.0),  # a failed run is no run
        ([5.0, 3.0, 1.0, inf], 4.0),
        ([1.0, inf, inf], inf),
    ],
)
def test_the_interquartile_mean_by_hand(runs, mean):
    assert interquartile_mean(np.array(runs)) == mean


def test_no_run_has_no_mean_and_no_gap():
    for runs in (np.array([]), np.full(3, nan)):
        assert np.isnan(interquartile_mean(runs))
        assert np.isnan(optimality_gap(runs))


@given(values)
def test_it_is_the_trimmed_mean_of_scipy(runs):
    expected = stats.trim_mean(runs, 0.25)
    assert interquartile_mean(np.array(runs)) == pytest.approx(expected, abs=1e-12)


@given(st.lists(values, min_size=1, max_size=4), st.randoms())
def test_rows_are_means_of_their_own_whatever_the_order_of_runs(rows, random):
    padded = np.full((len(rows), 12), nan)
    for row, runs in zip(padded, rows, strict=True):
        places = random.sample(range(12), len(runs))
        row[places] = runs
    found = interquartile_mean(padded)
    np.testing.assert_allclose(
        found, [interquartile_mean(np.array(runs)) for runs in rows], atol=1e-12
    )


def test_the_optimality_gap_counts_what_is_missed_and_nothing_beyond():
    runs = np.array([[0.5, 0.75, 1.0, nan], [0.5, 1.5, nan, nan]])
    np.testing.assert_allclose(optimality_gap(runs), [0.25, 0.25])
    np.testing.assert_allclose(optimality_gap(runs, 0.75), [0.25 / 3, 0.125])


def test_the_probability_of_improvement_by_hand():
    # task 1: of 6 pairs 3 are won and 1 is a tie; task 2: all are lost
    x = [np.array([1.0, 3.0]), np.array([0.0])]
    y = [np.array([0.0, 1.0, 4.0]), np.array([1.0, 2.0])]
    assert probability_of_improvement(x, y) == pytest.approx((3.5 / 6 + 0) / 2)


def test_it_is_the_u_of_scipy_over_the_pairs():
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 6, 9).astype(float), generator.integers(0, 6, 7).astype(float)
    expected = stats.mannwhitneyu(x, y).statistic / (9 * 7)
    assert probability_of_improvement([x], [y]) == pytest.approx(expected)


@given(values, values)
def test_the_two_sides_add_to_one(x, y):
    forth = probability_of_improvement([np.array(x)], [np.array(y)])
    back = probability_of_improvement([np.array(y)], [np.array(x)])
    assert forth + back == pytest.approx(1)
    assert probability_of_improvement([np.array(x)], [np.array(x)]) == pytest.approx(0.5)


def test_a_failed_run_is_left_out_and_a_method_without_any_has_no_probability():
    one = np.array([1.0, nan])
    assert probability_of_improvement([one], [np.array([0.0])]) == 1.0
    assert np.isnan(probability_of_improvement([one, one], [one, np.array([nan])]))
    assert np.isnan(probability_of_improvement([], []))


def test_infinite_values_are_compared_as_numbers():
    assert probability_of_improvement([np.array([inf])], [np.array([inf, 1.0])]) == 0.75

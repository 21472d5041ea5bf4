import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augbench.analysis.statistics.performance_profile import (
    performance_profile,
    performance_ratios,
    profile_score,
    score_profile,
    unreached,
)

nan, inf = np.nan, np.inf
TIMES = np.array(
    [
        [1.0, 2.0, inf],
        [6.0, 3.0, 3.0],
        [inf, inf, inf],  # whose target no method reaches
        [8.0, 1.0, 2.0],
    ]
)
RATIOS = np.array([[1, 2, inf], [2, 1, 1], [inf, inf, inf], [8, 1, 2]])
some_times = arrays(
    float, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.sampled_from([1, 2, 5, inf])
)


def test_the_ratios_are_those_to_the_fastest_of_each_task():
    np.testing.assert_array_equal(performance_ratios(TIMES), RATIOS)


def test_the_profile_is_the_share_of_tasks_within_a_factor():
    profile = performance_profile(RATIOS, np.array([1.0, 1.9, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(
        4 * profile, [[1, 2, 1], [1, 2, 1], [2, 3, 2], [2, 3, 2], [3, 3, 2]]
    )


def test_the_score_is_computed_by_hand():
    # of (4 - r) / 3: 1 + 2/3 + 0 + 0; 2/3 + 1 + 0 + 1; 0 + 1 + 0 + 2/3; each over 4 tasks
    np.testing.assert_allclose(profile_score(RATIOS), [5 / 12, 8 / 12, 5 / 12])
    assert unreached(TIMES).tolist() == [False, False, True, False]


def test_a_missing_cell_reaches_nothing():
    holes = np.where(np.isinf(TIMES), nan, TIMES)
    np.testing.assert_array_equal(performance_ratios(holes), RATIOS)
    assert unreached(holes).tolist() == [False, False, True, False]


def test_with_references_a_ratio_does_not_change_as_others_join():
    references = np.array([0])
    alone = performance_ratios(TIMES[:, :2], references)
    np.testing.assert_array_equal(performance_ratios(TIMES, references)[:, :2], alone)
    np.testing.assert_array_equal(alone, [[1, 2], [1, 0.5], [inf, inf], [1, 0.125]])
    # faster than the reference is no more than whole credit; so is reaching what it never does
    np.testing.assert_allclose(profile_score(alone), [3 / 4, (2 / 3 + 1 + 0 + 1) / 4])
    np.testing.assert_array_equal(
        performance_ratios(np.array([[inf, 3.0]]), references), [[inf, 0]]
    )


def test_times_of_zero_are_equal():
    np.testing.assert_array_equal(performance_ratios(np.array([[0.0, 0.0, 1.0]])), [[1, 1, inf]])


@given(some_times)
def test_the_score_is_the_area_under_the_profile(times):
    ratios = performance_ratios(times)
    grid = np.linspace(1, 4, 3001)[:-1]  # left ends: steps begin on the grid
    heights = performance_profile(ratios, grid + 1e-12)
    np.testing.assert_allclose(profile_score(ratios), heights.mean(axis=0), atol=1e-3)


@given(some_times)
def test_profiles_rise_and_scores_lie_between_0_and_1(times):
    ratios = performance_ratios(times)
    profile = performance_profile(ratios, np.array([1.0, 1.5, 2.0, 3.0, 5.0]))
    assert (np.diff(profile, axis=0) >= 0).all()
    assert ((profile_score(ratios) >= 0) & (profile_score(ratios) <= 1)).all()
    reached = np.isfinite(times).any(axis=1)
    assert (ratios[reached].min(axis=1) == 1).all()


def test_the_fastest_everywhere_scores_one_and_the_never_near_zero():
    ratios = performance_ratios(np.array([[1.0, 4.0], [2.0, 9.0]]))
    assert profile_score(ratios).tolist() == [1.0, 0.0]
    assert profile_score(ratios, largest=8.0) == pytest.approx([1.0, (4 / 7 + 3.5 / 7) / 2])


def test_a_run_counts_at_its_own_score_and_below():
    shares = score_profile(np.array([0.5, 0.7, nan, 0.5, 0.9]), np.array([0.4, 0.5, 0.6, 0.9, 1.0]))
    np.testing.assert_allclose(shares, [1, 1, 0.5, 0.25, 0])
    assert np.isnan(score_profile(np.array([nan]), np.array([0.5]))).all()


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.3, nan]), min_size=1),
    st.lists(st.sampled_from([0, 0.1, 0.15, 0.3, 0.5])),
)
def test_the_share_of_runs_is_that_which_is_counted(runs, thresholds):
    known = [run for run in runs if not np.isnan(run)]
    shares = score_profile(np.array(runs), np.array(thresholds, dtype=float))
    counted = [sum(run >= t for run in known) / len(known) if known else nan for t in thresholds]
    np.testing.assert_allclose(shares, counted)

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.paired import (
    PAIRWISE_COLUMNS,
    corrected_t_interval,
    corrected_t_test,
    holm,
    least_tasks,
    paired_differences,
    pairwise_wilcoxon,
    wilcoxon,
)

NO_POSTHOCS = "scikit-posthocs is not installed; the numbers that it gave are tested beside this"
X = np.array([0.71, 0.74, 0.68, 0.77, 0.73])
Y = np.array([0.70, 0.70, 0.69, 0.72, 0.70])
ZERO = np.zeros(20)
numbers = st.floats(-100, 100).map(lambda value: round(value, 2))
pairs = st.lists(st.tuples(numbers, numbers), min_size=6, max_size=12)


def test_the_corrected_t_test_has_the_value_computed_by_hand():
    # differences .01 .04 -.01 .05 .03: mean .024, variance .00058; error² = (1/5 + 1/4) .00058
    test = corrected_t_test(X, Y, 1 / 4)
    assert test.statistic == pytest.approx(0.024 / 0.000261**0.5)
    assert test.statistic == pytest.approx(1.485563, abs=1e-6)
    assert test.p == pytest.approx(0.211579, abs=1e-6)
    assert (test.n, test.reason) == (5, "")
    interval = corrected_t_interval(X, Y, 1 / 4)
    assert interval.value == pytest.approx(0.024)
    assert (interval.low, interval.high) == pytest.approx((-0.020855, 0.068855), abs=1e-6)


def test_the_variance_is_that_of_baycomp():
    baycomp = pytest.importorskip("baycomp", reason="baycomp (of autorank) is not installed")
    mean, variance, freedom = baycomp.CorrelatedTTest.compute_statistics(Y, X, runs=1)  # Y before X
    test = corrected_t_test(X, Y, 1 / 4)
    assert test.statistic == pytest.approx(mean / variance**0.5)
    assert test.p == pytest.approx(2 * stats.t.sf(test.statistic, freedom))


def test_without_overlap_it_is_the_paired_t_test_of_scipy():
    ours, theirs = corrected_t_test(X, Y, 0.0), stats.ttest_rel(X, Y)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    interval, limits = corrected_t_interval(X, Y, 0.0, 0.9), theirs.confidence_interval(0.9)
    assert (interval.low, interval.high) == pytest.approx((limits.low, limits.high))


def test_the_corrected_test_keeps_its_level_where_training_sets_overlap():
    """5 folds whose differences correlate by 1 / 5, as Nadeau and Bengio assume of 5 folds."""
    generator = np.random.default_rng(0)
    shared, own = generator.normal(size=(3000, 1)), generator.normal(size=(3000, 5))
    folds = np.sqrt(0.2) * shared + np.sqrt(0.8) * own
    rejected = {
        ratio: np.mean([corrected_t_test(d, np.zeros(5), ratio).p < 0.05 for d in folds])
        for ratio in (0.0, 0.25)
    }
    assert 0.035 < rejected[0.25] < 0.065
    assert rejected[0.0] > 0.1


@pytest.mark.parametrize("n", [0, 1])
def test_one_fold_or_none_is_too_few(n):
    test, interval = corrected_t_test(X[:n], Y[:n], 1.0), corrected_t_interval(X[:n], Y[:n], 1.0)
    assert test.reason == interval.reason == f"too few folds: {n} of 2 needed"
    assert np.isnan([test.p, test.statistic, interval.low, interval.high]).all()
    assert np.isnan(interval.value) if n == 0 else interval.value == pytest.approx(0.01)


def test_two_folds_are_enough_for_a_wide_interval():
    interval = corrected_t_interval(X[:2], Y[:2], 1.0)
    assert interval.reason == ""
    assert interval.high - interval.low > 0.5


def test_equal_differences_have_no_spread_even_after_rounding():
    # .8 - .7, .7 - .6 and .6 - .5 differ by some 1e-16
    test = corrected_t_test(np.array([0.8, 0.7, 0.6]), np.array([0.7, 0.6, 0.5]), 0.5)
    assert test.reason == "all 3 differences are equal, so their spread is unknown"
    interval = corrected_t_interval(X, X, 0.5)
    assert (interval.value, interval.reason[:17]) == (0.0, "all 5 differences")


def test_a_failed_fold_is_left_out_of_both_and_counted():
    holes = np.where(np.arange(5) == 2, np.nan, X)
    rest = np.arange(5) != 2
    assert corrected_t_test(holes, Y, 0.25) == corrected_t_test(X[rest], Y[rest], 0.25)
    assert corrected_t_test(holes, Y, 0.25).n == 4
    assert corrected_t_test(holes, np.where(rest, np.nan, Y), 0.25).n == 0


def test_an_infinite_difference_has_no_mean():
    test = corrected_t_test(np.array([1.0, 2.0, np.inf]), np.zeros(3), 0.5)
    assert test.reason == "a difference is infinite, so there is no mean"


@given(pairs)
def test_the_interval_leaves_out_zero_where_p_is_below_the_level(values):
    x, y = np.array(values).T
    test, interval = corrected_t_test(x, y, 0.25), corrected_t_interval(x, y, 0.25)
    assert test.reason == interval.reason
    if not test.reason and abs(test.p - 0.05) > 1e-9:
        assert (test.p < 0.05) == (interval.low > 0 or interval.high < 0)


def test_pairs_of_equal_infinite_values_differ_by_nothing():
    x, y = np.array([np.inf, np.inf, -np.inf, 2.0]), np.array([np.inf, 1.0, -np.inf, np.nan])
    assert paired_differences(x, y).tolist() == [0.0, np.inf, 0.0]
    assert paired_differences(ZERO, ZERO).tolist() == [0.0] * 20


@pytest.mark.parametrize("n", [6, 9, 20])
def test_the_signed_rank_test_is_that_of_scipy(n):
    x = np.random.default_rng(n).normal(0.3, size=n)
    ours, theirs = wilcoxon(x, ZERO[:n]), stats.wilcoxon(x, method="exact")
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_it_is_exact_with_ties_too():
    d = np.array([1, 1, -2, 3, 3, -1, 4, 5.0])
    ours = wilcoxon(d, ZERO[:8])
    theirs = stats.wilcoxon(d, method=stats.PermutationMethod(n_resamples=np.inf))
    assert (ours.statistic, ours.p) == (6.0, pytest.approx(0.109375))  # 28 of 256
    assert ours.p == pytest.approx(theirs.pvalue)


def test_tasks_without_a_difference_or_with_a_nan_are_left_out():
    d = np.array([1, 1, -2, 3, 3, -1, 4, 0, 5.0, np.nan, 0])
    assert wilcoxon(d, ZERO[:11]) == wilcoxon(d[np.abs(d) > 0], ZERO[:8])


def test_differences_that_are_ties_but_for_rounding_are_ties():
    x = np.array([0.7, 0.6, 0.5, 0.4, 0.9, 0.3, 0.2])
    exact = wilcoxon(10 * x, 10 * x - np.array([1, 1, 1, -1, 1, 1, -1.0]))
    rounded = wilcoxon(x, np.array([0.6, 0.5, 0.4, 0.5, 0.8, 0.2, 0.3]))
    assert (rounded.statistic, rounded.p) == (exact.statistic, exact.p) == (8.0, 1 - 70 / 128)


@pytest.mark.parametrize(("n", "p"), [(6, 2 / 64), (7, 2 / 128)])
def test_the_smallest_p_is_that_of_one_sign(n, p):
    assert wilcoxon(np.arange(1.0, n + 1), ZERO[:n]).p == p


def test_infinite_times_take_part_as_the_largest():
    x = np.array([np.inf, np.inf, 5, 4, 3, 2, np.inf, 1])
    y = np.array([1, np.inf, 1, 1, 1, 1, 2, 2])
    # the second task does not differ; two infinite differences share the ranks 6 and 7
    same = wilcoxon(np.array([9, 4, 3, 2, 1, 9, -1.0]), ZERO[:7])
    assert wilcoxon(x, y) == same
    assert same.p == 2 * 3 / 128  # no negative rank, or one of the two that share 1.5


def test_below_six_tasks_it_says_so():
    assert str(wilcoxon(np.arange(1.0, 4), ZERO[:3])) == "too few tasks: 3 of 6 needed"
    mostly_ties = wilcoxon(np.array([1, 2, 3, 0, 0, 0, 0.0]), ZERO[:7])
    assert str(mostly_ties) == ("too few tasks: 3 of 6 needed; on 4 more the methods are equal")
    assert [least_tasks(level) for level in (0.1, 0.05, 0.01)] == [5, 6, 8]


@given(pairs, st.randoms())
def test_a_test_depends_on_pairs_alone_not_on_their_order_or_side(values, random):
    shuffled = random.sample(values, len(values))
    (x, y), (a, b) = np.array(values).T, np.array(shuffled).T
    test = wilcoxon(x, y)
    for again in (wilcoxon(a, b), wilcoxon(y, x)):
        assert (again.n, again.reason) == (test.n, test.reason)
        assert again.p == pytest.approx(test.p, nan_ok=True)
    assert test.reason or 0 < test.p <= 1


def test_holm_is_that_of_statsmodels_and_leaves_out_what_has_no_p():
    p = np.array([0.01, 0.04, np.nan, 0.03, 0.005, 0.2])
    np.testing.assert_allclose(holm(p), [0.04, 0.09, np.nan, 0.09, 0.025, 0.2])
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]
    assert holm(np.array([])).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
@settings(max_examples=50)
def test_holm_keeps_the_order_and_lowers_nothing(values):
    p = np.array(values)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def scores(n_tasks=12):
    values = np.random.default_rng(1).normal(size=(n_tasks, 4)) + 0.5 * np.arange(4)
    return pd.DataFrame(values, columns=list("abcd"))


def test_all_pairs_have_the_p_of_scikit_posthocs():
    table = pairwise_wilcoxon(scores())
    assert list(table) == list(PAIRWISE_COLUMNS)
    assert (table["method"] + table["other"]).tolist() == ["ab", "ac", "ad", "bc", "bd", "cd"]
    # of scikit-posthocs 0.17.1
    golden = [0.02734375, 0.007324219, 0.005859375, 0.084960938, 0.048339844, 0.339355469]
    np.testing.assert_allclose(table["p_holm"], golden, atol=1e-9)


def test_all_pairs_agree_with_scikit_posthocs_itself():
    posthocs = pytest.importorskip("scikit_posthocs", reason=NO_POSTHOCS)
    long = scores().melt()
    theirs = posthocs.posthoc_wilcoxon(long, "value", "variable", p_adjust="holm").to_numpy()
    table = pairwise_wilcoxon(scores())
    np.testing.assert_allclose(table["p_holm"], theirs[np.triu_indices(4, 1)])


def test_pairs_with_too_few_tasks_have_a_sentence_and_do_not_count_in_holm():
    table = scores(7)
    table.loc[:1, "d"] = np.nan  # a failed cell on two tasks
    found = pairwise_wilcoxon(table)
    assert (found["why"] == "too few tasks: 5 of 6 needed").tolist() == [
        "d" in pair for pair in found["method"] + found["other"]
    ]
    tested = found[found["why"] == ""]
    np.testing.assert_allclose(tested["p_holm"], holm(tested["p"].to_numpy()))
    assert found.loc[found["why"] != "", ["p", "p_holm"]].isna().all(axis=None)

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.friedman import (
    cliques,
    critical_difference,
    friedman_test,
    mean_ranks,
    nemenyi_test,
)

# Four variants of C4.5 on 14 data sets (area under the ROC curve): Demsar 2006, table 6. On
# "voting" the paper prints .975 for the last two, with the ranks 2 and 3.
DEMSAR = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_demsars_worked_example():
    result = friedman_test(DEMSAR)
    np.testing.assert_allclose(result.ranks, [3.143, 2.000, 2.893, 1.964], atol=5e-4)
    assert result.chi_square.statistic == pytest.approx(9.28, abs=5e-3)
    assert result.iman_davenport.statistic == pytest.approx(3.69, abs=5e-3)
    assert result.iman_davenport.p < 0.05  # F(3, 39) is 2.85 at .05
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=5e-3)
    assert {result.iman_davenport.n, result.chi_square.n, result.tie_corrected.n} == {14}


def test_the_chi_square_that_counts_ties_is_that_of_scipy():
    ours, theirs = friedman_test(DEMSAR).tie_corrected, stats.friedmanchisquare(*DEMSAR.T)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert (ours.statistic, ours.p) == pytest.approx((10.2283, 0.016722), abs=5e-5)


def test_without_ties_the_two_chi_squares_are_one():
    values = np.random.default_rng(0).normal(size=(9, 5))
    result = friedman_test(values)
    assert result.chi_square.statistic == pytest.approx(result.tie_corrected.statistic)
    assert result.chi_square.p == pytest.approx(stats.friedmanchisquare(*values.T).pvalue)


def test_the_quantiles_of_nemenyi_are_those_that_papers_print():
    unit = [critical_difference(k, 1) / np.sqrt(k * (k + 1) / 6) for k in range(2, 11)]
    printed = [1.960, 2.344, 2.569, 2.728, 2.850, 2.948, 3.031, 3.102, 3.164]
    np.testing.assert_allclose(unit, printed, atol=6e-4)


def test_autorank_finds_the_same():
    # It installs a package named `tests`, which hides ours, so it is no dependency of the tests.
    reason = "autorank is not installed; the numbers that it gave are tested beside this"
    autorank = pytest.importorskip("autorank", reason=reason)
    frame = pd.DataFrame(DEMSAR, columns=list("abcd"))
    theirs = autorank.autorank(frame, alpha=0.05, verbose=False, force_mode="nonparametric")
    ranks = theirs.rankdf["meanrank"].reindex(frame.columns)
    np.testing.assert_allclose(mean_ranks(DEMSAR), ranks.to_numpy(dtype=float))
    assert friedman_test(DEMSAR).tie_corrected.p == pytest.approx(theirs.pvalue)
    assert critical_difference(4, 14) == pytest.approx(theirs.cd, abs=1e-4)  # by a table of q


NEMENYI = [  # by scikit-posthocs 0.17.1
    [1.0, 0.08867271, 0.95617718, 0.0741848],
    [0.08867271, 1.0, 0.25922807, 0.99985945],
    [0.95617718, 0.25922807, 1.0, 0.22669689],
    [0.0741848, 0.99985945, 0.22669689, 1.0],
]


def test_the_p_of_nemenyi_is_that_of_scikit_posthocs():
    np.testing.assert_allclose(nemenyi_test(DEMSAR), NEMENYI, atol=1e-7)
    reason = "scikit-posthocs is not installed; the numbers that it gave are tested above"
    posthocs = pytest.importorskip("scikit_posthocs", reason=reason)
    values = np.random.default_rng(0).normal(size=(20, 5)) + 0.3 * np.arange(5)
    theirs = posthocs.posthoc_nemenyi_friedman(values)
    np.testing.assert_allclose(nemenyi_test(values), theirs, atol=1e-9)


def test_two_ranks_a_critical_difference_apart_have_the_level_as_p():
    # one rank apart on all of n tasks, with a third method far behind
    n = next(n for n in range(2, 99) if critical_difference(3, n) < 1)
    p = [nemenyi_test(np.tile([3.0, 2.0, 1.0], (tasks, 1)))[0, 1] for tasks in (n - 1, n)]
    assert p[0] > 0.05 > p[1]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((3, 4), "too few tasks: 3 of 6 needed"),
        ((5, 4), "too few tasks: 5 of 6 needed"),
        ((0, 4), "too few tasks: 0 of 6 needed"),
        ((9, 2), "too few methods: 2 of 3 needed"),
    ],
)
def test_where_there_is_too_little_it_says_so(shape, reason):
    scores = np.random.default_rng(0).normal(size=shape)
    _, *tests = friedman_test(scores)
    assert [str(test) for test in tests] == [reason] * 3
    assert np.isnan(nemenyi_test(scores)).all()


def test_a_task_with_a_failed_cell_is_left_out_and_not_counted():
    holes = np.vstack([DEMSAR, [np.nan, 1.0, 0.0, 0.5]])
    np.testing.assert_array_equal(mean_ranks(holes), mean_ranks(DEMSAR))
    assert friedman_test(holes)[1:] == friedman_test(DEMSAR)[1:]
    assert np.isnan(mean_ranks(holes[-1:])).all()


def test_infinite_times_take_the_last_ranks_and_share_them():
    times = np.array([[1.0, np.inf, np.inf, 2.0]])
    assert mean_ranks(-times).tolist() == [1.0, 3.5, 3.5, 2.0]


def test_methods_that_always_tie_do_not_differ():
    result = friedman_test(np.ones((8, 4)))
    assert (result.chi_square.statistic, result.iman_davenport.p) == (0.0, 1.0)
    assert str(result.tie_corrected) == "the methods are equal on every task"


def test_tasks_that_all_agree_leave_no_doubt():
    result = friedman_test(np.tile([3.0, 2.0, 1.0], (8, 1)))
    assert result.chi_square.statistic == pytest.approx(16)  # n (k - 1)
    assert (result.iman_davenport.statistic, result.iman_davenport.p) == (np.inf, 0.0)


@given(st.permutations(range(14)), st.permutations(range(4)))
def test_neither_the_order_of_tasks_nor_that_of_methods_matters(tasks, methods):
    shuffled = friedman_test(DEMSAR[tasks][:, methods])
    whole = friedman_test(DEMSAR)
    np.testing.assert_allclose(shuffled.ranks, whole.ranks[methods])
    assert shuffled.iman_davenport.p == pytest.approx(whole.iman_davenport.p)


def test_cliques_join_neighbours_of_which_no_pair_differs():
    ranks = np.array([4.0, 1.0, 2.0, 3.0])  # order: 1 2 3 0
    differs = np.zeros((4, 4), dtype=bool)
    assert [group.tolist() for group in cliques(ranks, differs)] == [[1, 2, 3, 0]]
    differs[1, 0] = differs[0, 1] = True
    assert [group.tolist() for group in cliques(ranks, differs)] == [[1, 2, 3], [2, 3, 0]]
    differs[1, 3] = differs[3, 1] = differs[2, 0] = differs[0, 2] = True
    assert [group.tolist() for group in cliques(ranks, differs)] == [[1, 2], [2, 3], [3, 0]]
    assert cliques(ranks, ~np.eye(4, dtype=bool)) == []


def test_the_cliques_of_demsar_are_those_of_his_figure():
    """Figure 1a: with the critical difference of 1.25 at .05 nothing differs; at .10 two groups."""
    ranks = mean_ranks(DEMSAR)
    apart = np.abs(ranks[:, None] - ranks)
    assert [g.tolist() for g in cliques(ranks, apart > critical_difference(4, 14))] == [
        [3, 1, 2, 0]
    ]
    found = cliques(ranks, apart > critical_difference(4, 14, 0.10))
    assert [group.tolist() for group in found] == [[3, 1, 2], [2, 0]]

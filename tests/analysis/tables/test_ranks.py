from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scikit_posthocs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.tables.frame import results
from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.ranks import rank_methods, rank_table

nan = np.nan
# Demsar 2006, table 6, as in tests/analysis/statistics/test_friedman.py.
DEMSAR = {
    "C4.5": "763 599 954 628 882 936 661 583 775 1000 940 619 972 957",
    "C4.5+m": "768 591 971 661 888 931 668 583 838 1000 962 666 981 978",
    "C4.5+cf": "771 590 968 654 886 916 609 563 866 1000 965 614 975.1 946",
    "C4.5+m+cf": "798 569 967 657 898 931 685 625 875 1000 962 669 975 970",
}
few = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def demsar(over_tasks):
    return over_tasks(
        {name: [float(each) / 1000 for each in row.split()] for name, row in DEMSAR.items()}
    )


@pytest.fixture
def ahead(over_tasks):
    """Method a beats b, which beats c, on seven tasks."""
    level = np.linspace(0.3, 0.6, 7)
    return over_tasks({"a": level + 0.2, "b": level + 0.1, "c": level})


def groups(table):
    """The pairs of methods that share a group."""
    sets = {row["method"]: set(row["groups"].split()) for row in table.to_dict("records")}
    return {pair for pair in combinations(sorted(sets), 2) if sets[pair[0]] & sets[pair[1]]}


def test_demsars_worked_example(demsar):
    table = rank_table(demsar)
    assert list(table["method"]) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert list(table["rank"].round(3)) == [1.964, 2.0, 2.893, 3.143]
    first = table.iloc[0]
    assert first["statistic"] == pytest.approx(3.69, abs=5e-3)
    assert first["critical_difference"] == pytest.approx(1.25, abs=5e-3)
    assert first["n_tasks"] == 14
    assert first["p"] == pytest.approx(stats.f.sf(first["statistic"], 3, 39))
    # No two of all four ranks are 1.25 apart, as in the paper, although the test says they differ.
    assert len(groups(table)) == 6


def test_groups_are_the_pairs_that_nemenyis_test_cannot_tell_apart(over_tasks):
    random = np.random.default_rng(3)
    scores = 0.5 + random.normal(0, 0.02, size=(12, 6)) + 0.015 * np.arange(6)
    table = rank_table(over_tasks({f"m{k}": scores[:, k] for k in range(6)}))
    p = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
    alike = {(f"m{i}", f"m{j}") for i, j in combinations(range(6), 2) if p[i, j] > 0.05}
    assert groups(table) == alike
    assert 0 < len(alike) < 15
    chi = stats.friedmanchisquare(*scores.T).statistic  # without ties the two forms are one
    assert table["statistic"].iloc[0] == pytest.approx(11 * chi / (12 * 5 - chi))


def test_where_the_test_tells_nothing_all_methods_are_one_group(over_tasks):
    scores = np.random.default_rng(0).permuted(np.tile([0.5, 0.6, 0.7], (9, 1)), axis=1)
    table = rank_table(over_tasks(dict(zip("abc", scores.T, strict=True))))
    assert table["p"].iloc[0] > 0.05
    assert set(table["groups"]) == {"1"}


def test_ties_share_their_ranks_and_equal_methods_cannot_be_told_apart(over_tasks):
    table = rank_table(over_tasks(dict.fromkeys("abc", [0.5] * 6)))
    assert set(table["rank"]) == {2.0}
    assert table["p"].iloc[0] == 1
    assert len(groups(table)) == 3


def test_methods_that_are_ahead_on_every_task(ahead):
    table = rank_table(ahead)
    assert dict(zip(table["method"], table["rank"], strict=True)) == {"a": 1, "b": 2, "c": 3}
    assert table["statistic"].iloc[0] == np.inf
    assert groups(table) == {("a", "b"), ("b", "c")}  # the critical difference is 1.25


@pytest.mark.parametrize(
    ("methods", "tasks", "reason"),
    [
        ("abc", 5, "too few tasks: 5 of 6 needed"),
        ("abc", 1, "too few tasks: 1 of 6 needed"),
        ("ab", 8, "too few methods: 2 of 3 needed"),
        ("a", 8, "too few methods: 1 of 3 needed"),
    ],
)
def test_too_few_are_not_ranked_and_the_reason_is_told(over_tasks, methods, tasks, reason):
    run = over_tasks({name: np.linspace(0.5, 0.6, tasks) for name in methods})
    ranking = rank_methods(run)
    assert ranking.result.iman_davenport.reason == reason
    assert np.isnan(ranking.result.iman_davenport.p)
    assert not ranking.differ
    assert rank_table(run).empty


def test_only_folds_that_all_methods_have_are_ranked(over_tasks):
    whole = np.tile([0.9, 0.1], (6, 1))  # an easy fold and a hard one
    run = over_tasks({"a": whole, "b": np.tile([0.8, nan], (6, 1)), "c": whole - 0.05})
    assert list(rank_table(run)["method"]) == ["a", "c", "b"]


def test_a_task_on_which_a_method_has_no_run_is_left_out_and_named(over_tasks):
    level = np.linspace(0.3, 0.6, 7)
    lost = np.where(np.arange(7) == 2, nan, level)
    run = over_tasks({"a": level, "b": lost, "c": level + 0.1}, chance=0.1)
    ranking = rank_methods(run)
    assert ranking.left_out == ("task_2",)
    assert len(ranking.tasks) == 6
    imputed = impute_failed(run)
    assert rank_methods(imputed).left_out == ()
    assert set(rank_table(imputed)["imputed"]) == {1}


def test_a_method_without_a_run_and_one_that_is_not_everywhere_are_left_out(ahead, gather, trial):
    methods = [*"abc", "lost", "some"]
    trials = [
        trial(method, 0, [] if method == "lost" else [(0.5, 0.5 + 0.01 * k, 1, 1)], task=f"t{task}")
        for task in range(6)
        for k, method in enumerate(methods)
        if method != "some" or task
    ]
    ranking = rank_methods(gather(*trials))
    assert ranking.methods == ("a", "b", "c")
    assert (ranking.without_run, ranking.unplanned) == (("lost",), ("some",))
    assert len(ranking.tasks) == 6


@pytest.mark.parametrize("scores", [{}, {"a": [nan, nan]}, {"a": [nan], "b": [nan], "c": [nan]}])
def test_a_run_without_scores_has_no_ranks(over_tasks, scores):
    run = over_tasks(scores) if scores else results([], [], "nothing")
    assert rank_table(run).empty
    assert rank_methods(run).tasks == ()


@few
@given(st.integers(0, 2**32 - 1))
def test_neither_rows_nor_the_order_of_methods_matter(demsar, seed):
    random = np.random.default_rng(seed)
    tables = (table.sample(frac=1, random_state=random) for table in (demsar.points, demsar.trials))
    pd.testing.assert_frame_equal(rank_table(results(*tables, "toys")), rank_table(demsar))


def test_a_label_has_its_own_style(demsar):
    table = rank_table(replace(demsar, methods={"C4.5": "none"}))
    assert table["colour"].str.startswith("#").all()
    assert table["style"].is_unique

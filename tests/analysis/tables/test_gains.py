from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augbench.analysis.statistics.paired import corrected_t_interval, corrected_t_test, holm
from augbench.analysis.tables.frame import results
from augbench.analysis.tables.gains import GAIN_COLUMNS, gain_table

NONE = np.array([0.50, 0.52, 0.55, 0.51, 0.54])
AUGNET = np.array([0.60, 0.58, 0.62, 0.63, 0.60])
ADDA = np.array([0.52, 0.57, 0.54, 0.56, 0.55])


@pytest.fixture
def folds(trial):
    """The trials of a method whose test metrics are given by fold."""

    def make(method, tests, **options):
        return [
            trial(method, fold, [(0.5, test, 1, 1)], **options) for fold, test in enumerate(tests)
        ]

    return make


@pytest.fixture
def run(folds, gather):
    return gather(*folds("none", NONE), *folds("augnet", AUGNET), *folds("adda", ADDA))


def row(table, method, reference="none"):
    found = table[(table["method"] == method) & (table["reference"] == reference)]
    assert len(found) == 1
    return found.iloc[0]


def test_the_gain_has_the_interval_and_the_p_of_the_corrected_test(run):
    found = row(gain_table(run), "augnet")
    interval = corrected_t_interval(AUGNET, NONE, 1 / 4)  # 5 folds
    assert found["gain"] == pytest.approx(0.082)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["p"] == pytest.approx(corrected_t_test(AUGNET, NONE, 1 / 4).p)
    assert (found["folds"], found["planned"], found["why"]) == (5, 5, "")


def test_the_ratio_of_a_task_can_be_given(run):
    found = row(gain_table(run, test_train_ratios={"toy": 0.2}), "augnet")
    assert found["p"] == pytest.approx(corrected_t_test(AUGNET, NONE, 0.2).p)
    known = replace(run, test_train_ratios={"toy": 0.2})
    assert row(gain_table(known), "augnet").equals(found)
    changed = gain_table(known, test_train_ratios={"toy": 0.5})
    assert row(changed, "augnet")["p"] > found["p"]
    other = gain_table(run, test_train_ratios={"another": 9.0})
    pd.testing.assert_frame_equal(other, gain_table(run))


def test_p_is_adjusted_over_the_methods_of_one_reference(run):
    table = gain_table(run)
    assert table["method"].tolist() == ["adda", "augnet"]
    np.testing.assert_allclose(table["p_holm"], holm(table["p"].to_numpy()))
    assert row(table, "augnet")["p_holm"] == pytest.approx(2 * row(table, "augnet")["p"])


def test_each_reference_has_its_own_correction(folds, gather):
    names = {"none": NONE, "random_policy": ADDA - 0.02, "augnet": AUGNET, "adda": ADDA}
    table = gain_table(gather(*(each for name in names for each in folds(name, names[name]))))
    for reference in ("none", "random_policy"):
        of_one = table[table["reference"] == reference]
        assert len(of_one) == 3
        np.testing.assert_allclose(of_one["p_holm"], holm(of_one["p"].to_numpy()))


def test_a_reference_is_what_its_method_is_and_each_is_held_against_the_others(folds, gather):
    run = gather(
        *folds("plain", NONE), *folds("none", ADDA), *folds("trivial", AUGNET), *folds("mine", ADDA)
    )
    named = {"plain": "none", "none": "augnet", "trivial": "trivialaugment", "mine": "none"}
    table = gain_table(replace(run, methods=named))
    assert set(zip(table["method"], table["reference"], strict=True)) == {
        pair
        for pair in product(["plain", "none", "trivial", "mine"], ["plain", "trivial", "mine"])
        if pair[0] != pair[1]
    }
    assert row(table, "plain", "trivial")["gain"] == -row(table, "trivial", "plain")["gain"]


def test_seeds_of_a_fold_are_one_value(folds, gather):
    run = gather(
        *folds("none", NONE), *folds("none", NONE, seed=1),
        *folds("augnet", AUGNET - 0.01), *folds("augnet", AUGNET + 0.01, seed=1),
    )  # fmt: skip
    found = row(gain_table(run), "augnet")
    assert found["p"] == pytest.approx(corrected_t_test(AUGNET, NONE, 1 / 4).p)
    assert found["folds"] == 5


def test_only_seeds_that_both_have_are_compared(folds, gather):
    run = gather(*folds("none", NONE), *folds("augnet", AUGNET), *folds("augnet", NONE, seed=1))
    assert row(gain_table(run), "augnet")["gain"] == pytest.approx(0.082)


def test_a_failed_cell_and_one_that_still_runs_are_no_pairs_but_planned(folds, trial, gather):
    run = gather(
        *folds("none", NONE),
        *folds("augnet", AUGNET[:3]),
        trial("augnet", 3, [(0.5, 0.9, 1, 1)], state="running"),
        trial("augnet", 4, [], state="failed", reason="out of memory"),
    )
    found = row(gain_table(run), "augnet")
    assert (found["folds"], found["planned"]) == (3, 5)
    assert found["p"] == pytest.approx(corrected_t_test(AUGNET[:3], NONE[:3], 1 / 4).p)


@pytest.mark.parametrize("n", [0, 1])
def test_with_one_fold_or_none_there_is_a_sentence_and_no_p(folds, trial, gather, n):
    rest = [trial("augnet", fold, [], state="waiting") for fold in range(n, 2)]
    run = gather(*folds("none", NONE[:2]), *folds("augnet", AUGNET[:n]), *rest)
    found = row(gain_table(run), "augnet")
    assert found["why"] == f"too few folds: {n} of 2 needed"
    assert found[["low", "high", "p", "p_holm"]].isna().all()
    assert (found["gain"] == pytest.approx(0.1)) if n else np.isnan(found["gain"])


def test_a_suite_of_one_fold_is_not_tested(folds, gather):
    run = gather(*folds("none", NONE[:1]), *folds("augnet", AUGNET[:1]))
    assert row(gain_table(run), "augnet")["why"] == "too few folds: 1 of 2 needed"


def test_a_method_that_equals_its_reference_has_no_p(folds, gather):
    found = row(gain_table(gather(*folds("none", NONE), *folds("twin", NONE))), "twin")
    assert (found["gain"], found["why"][:27]) == (0.0, "all 5 differences are equal")


def test_tasks_are_not_mixed(folds, gather):
    run = gather(
        *folds("none", NONE, task="a"), *folds("augnet", AUGNET, task="a"),
        *folds("none", AUGNET[:3], task="b"), *folds("augnet", NONE[:3], task="b"),
        *folds("augnet", NONE, task="c"),
    )  # fmt: skip
    table = gain_table(run)
    assert table["task"].tolist() == ["a", "b"]
    assert table["gain"].tolist() == pytest.approx([0.082, -(0.1 + 0.06 + 0.07) / 3])
    assert table["p"].tolist() == pytest.approx(table["p_holm"].tolist())  # each has one method


@pytest.mark.parametrize("planned", [0, 2])
def test_without_points_the_table_has_its_columns(folds, trial, gather, planned):
    trials = [trial(m, 0, [], state="waiting") for m in ("none", "augnet")][:planned]
    table = gain_table(gather(*trials) if trials else results([], [], "nothing"))
    assert {name: str(kind) for name, kind in table.dtypes.items()} == GAIN_COLUMNS
    assert len(table) == planned // 2


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(random=st.randoms())
def test_the_order_of_rows_does_not_matter(run, random):
    points, trials = (
        frame.iloc[random.sample(range(len(frame)), len(frame))]
        for frame in (run.points, run.trials)
    )
    shuffled = replace(run, points=points, trials=trials)
    pd.testing.assert_frame_equal(gain_table(shuffled), gain_table(run))

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.bootstrap import stratified_bootstrap
from augbench.analysis.tables.frame import results
from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.over_tasks import (
    OVERALL_COLUMNS,
    REFERENCE_COLUMNS,
    overall_table,
    reference_table,
)

nan = np.nan
LEVEL = np.array([0.3, 0.4, 0.5, 0.6, 0.35, 0.45, 0.55, 0.65])
few = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def pair(table, method, reference="none"):
    found = table[(table["method"] == method) & (table["reference"] == reference)]
    assert len(found) == 1
    return found.iloc[0]


def row(table, method):
    return table.set_index("method").loc[method]


def test_a_method_that_is_ahead_on_six_tasks(over_tasks):
    gain = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    run = over_tasks({"none": LEVEL[:6], "mine": LEVEL[:6] + gain})
    found = pair(reference_table(run), "mine")
    assert found["p"] == found["p_holm"] == pytest.approx(2 / 64)  # all signs alike, both ways
    assert found["statistic"] == 0
    assert (found["wins"], found["ties"], found["losses"]) == (6, 0, 0)
    assert found["difference"] == pytest.approx(0.035)
    assert (found["tasks"], found["planned"], found["why"]) == (6, 6, "")


def test_five_tasks_have_no_p_but_a_reason(over_tasks):
    found = pair(reference_table(over_tasks({"none": LEVEL[:5], "mine": LEVEL[:5] + 0.1})), "mine")
    assert found[["p", "p_holm", "statistic"]].isna().all()
    assert found["why"] == "too few tasks: 5 of 6 needed"
    assert found["wins"] == 5
    assert found["improvement"] == 1


def test_ties_are_counted_and_do_not_help(over_tasks):
    gain = np.array([0.0, 0.0, 0.1, 0.1, 0.1, 0.1, 0.1, -0.2])
    found = pair(reference_table(over_tasks({"none": LEVEL, "mine": LEVEL + gain})), "mine")
    assert (found["wins"], found["ties"], found["losses"]) == (5, 2, 1)
    assert found["statistic"] == 6  # the five ranks of 3 are more than that of the loss
    tied = gain[gain != 0]
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1)
    sums = (stats.rankdata(np.abs(tied))[:, None] * (signs > 0)).sum(axis=0)
    assert found["p"] == pytest.approx(min(1, 2 * (sums <= 6).mean()))


@few
@given(st.integers(0, 2**32 - 1))
def test_p_is_that_of_scipy_and_the_improvement_that_of_mann_and_whitney(over_tasks, seed):
    random = np.random.default_rng(seed)
    x, y = random.uniform(0.2, 0.9, size=(2, 7, 3))
    found = pair(reference_table(over_tasks({"none": y, "mine": x})), "mine")
    assert found["p"] == pytest.approx(
        stats.wilcoxon(x.mean(axis=1), y.mean(axis=1), method="exact").pvalue
    )
    u = [stats.mannwhitneyu(*runs).statistic / 9 for runs in zip(x, y, strict=True)]
    assert found["improvement"] == pytest.approx(np.mean(u))


def test_p_is_corrected_for_all_methods_of_a_reference(over_tasks):
    gains = {"a": 0.1, "b": 0.05, "c": 0.0}
    noise = np.array([0, 0.01, -0.01, 0.02, 0.004, 0.006, -0.003, 0.001])
    run = over_tasks(
        {"none": LEVEL, **{name: LEVEL + gain + noise for name, gain in gains.items()}}
    )
    table = reference_table(run)
    a, c = pair(table, "a"), pair(table, "c")
    assert a["p"] == pytest.approx(2 / 256)
    assert a["p_holm"] == pytest.approx(3 * 2 / 256)
    assert c["p_holm"] == c["p"] > 0.05


def test_references_go_by_what_a_method_is_and_are_held_against_each_other(over_tasks):
    run = over_tasks({"plain": LEVEL, "random_policy": LEVEL, "none": LEVEL, "mine": LEVEL})
    run = replace(run, methods={"plain": "none", "none": "adda"})
    table = reference_table(run)
    found = list(zip(table["method"], table["reference"], strict=True))
    assert found == [
        ("mine", "plain"),
        ("mine", "random_policy"),
        ("none", "plain"),
        ("none", "random_policy"),
        ("plain", "random_policy"),
        ("random_policy", "plain"),
    ]


def test_only_folds_that_both_have_are_compared(over_tasks):
    easy_hard = np.tile([0.9, 0.1], (6, 1))
    lost = np.tile([0.8, nan], (6, 1))  # without its hard fold
    found = pair(reference_table(over_tasks({"none": easy_hard, "mine": lost})), "mine")
    assert (found["wins"], found["losses"], found["improvement"]) == (0, 6, 0)
    assert found["difference"] == pytest.approx(-0.1)


def test_a_failed_cell_is_counted_and_imputed_only_if_asked(over_tasks):
    mine = np.where(np.arange(8) == 3, nan, LEVEL + 0.1)
    run = over_tasks({"none": LEVEL, "mine": mine}, chance=0.2)
    found = pair(reference_table(run), "mine")
    assert (found["tasks"], found["planned"], found["wins"], found["imputed"]) == (7, 8, 7, 0)
    asked = pair(reference_table(impute_failed(run)), "mine")
    assert (asked["tasks"], asked["wins"], asked["losses"], asked["imputed"]) == (8, 7, 1, 1)
    assert asked["p"] > found["p"]


@pytest.fixture
def timed(trial, gather):
    """Task a: targets .6 and hours 1, 2; task b: .7, which none never reaches, 2, 8."""
    return gather(
        trial("none", 0, [(0.5, 0.5, 1, 1), (0.6, 0.5, 2, 2)], task="a"),
        trial("mine", 0, [(0.6, 0.5, 1, 1)], task="a"),
        trial("none", 0, [(0.5, 0.5, 1, 1)], task="b"),
        trial("random_policy", 0, [(0.7, 0.5, 8, 8)], task="b"),
        trial("mine", 0, [(0.8, 0.5, 2, 2)], task="b"),
    )


def test_the_speed_up_is_the_geometric_mean_with_the_budget_and_a_second_for_never(timed):
    table = reference_table(timed)
    late = 8 + 1 / 3600
    mine = pair(table, "mine")
    assert (mine["speedup"], mine["speedup_tasks"]) == (pytest.approx(np.sqrt(2 * late / 2)), 2)
    none = pair(table, "none", "random_policy")
    assert (none["speedup"], none["speedup_tasks"]) == (pytest.approx(8 / late), 1)


def test_tasks_met_and_the_time_score(timed):
    table = overall_table(timed)
    mine, none = row(table, "mine"), row(table, "none")
    assert (mine["reached"], mine["timed"], mine["time_score"]) == (2, 2, 1)
    assert (none["reached"], none["timed"]) == (1, 2)
    assert none["time_score"] == pytest.approx((4 - 2) / 3 / 2)  # twice as long, and never
    assert np.isnan(row(table, "random_policy")["time_score"])  # task a is without it


def test_two_that_never_arrive_are_equally_fast(trial, gather):
    run = gather(
        trial("none", 0, [(0.5, 0.5, 1, 1)]),
        trial("random_policy", 0, [(0.7, 0.5, 4, 4)]),
        trial("mine", 0, [], state="failed"),
    )
    assert pair(reference_table(run), "mine")["speedup"] == 1


def test_a_time_that_is_not_known_yet_is_no_time(trial, gather):
    run = gather(
        trial("none", 0, [(0.5, 0.5, 1, 1)]),
        trial("mine", 0, [(0.4, 0.5, 1, 1)], state="running"),
        trial("late", 0, [(0.5, 0.5, 0, 0)]),  # below the resolution of the clock
    )
    found = pair(reference_table(run), "mine")
    assert np.isnan(found["speedup"])
    assert (found["speedup_tasks"], found["tasks"]) == (0, 0)
    assert np.isnan(pair(reference_table(run), "late")["speedup"])
    assert np.isnan(row(overall_table(run), "mine")["time_score"])


def test_the_mean_over_all_runs_has_the_interval_of_the_stratified_bootstrap(over_tasks):
    scores = np.array([[0.5, 0.6, 0.7, 0.8], [0.4, 0.45, 0.5, 0.55]])
    found = row(overall_table(over_tasks({"mine": scores})), "mine")
    estimate = stratified_bootstrap([*scores], np.random.default_rng(0))
    assert found["iqm"] == pytest.approx(stats.trim_mean(scores, 0.25, axis=None))
    assert (found["low"], found["high"]) == pytest.approx((estimate.low, estimate.high))
    assert found["optimality_gap"] == pytest.approx(1 - scores.mean())
    assert (found["n"], found["planned"], found["tasks"], found["all_tasks"]) == (8, 8, 2, 2)
    assert not found["rescaled"]


def test_scores_are_rescaled_where_chance_is_known_on_every_task(over_tasks):
    run = over_tasks({"mine": [[0.5, 0.6, 0.7, 1.0], [0.4, 0.4, 0.4, 0.4]]}, chance=0.2)
    found = row(overall_table(run), "mine")
    assert found["rescaled"]
    assert found["optimality_gap"] == pytest.approx(1 - (0.7 - 0.2 + 0.4 - 0.2) / 2 / 0.8)
    for chance in ({"task_0": 0.2}, {"task_0": 0.2, "task_1": 1.0}):
        assert not overall_table(replace(run, chance=chance))["rescaled"].any()


def test_a_method_without_a_run_on_some_task_has_no_mean_over_tasks(over_tasks):
    run = over_tasks({"none": [0.5, 0.6, 0.7], "mine": [0.5, nan, 0.7]})
    found = row(overall_table(run), "mine")
    assert found[["iqm", "low", "high", "optimality_gap"]].isna().all()
    assert found["why"] == "no run on 1 of 3 tasks"
    assert (found["tasks"], found["all_tasks"], found["n"], found["planned"]) == (2, 3, 2, 3)


def test_one_task_one_fold_and_one_method_give_what_they_can(over_tasks):
    run = over_tasks({"none": [0.5]})
    found = row(overall_table(run), "none")
    assert (found["iqm"], found["n"], found["why"]) == (0.5, 1, "too few runs: 1 of 5 needed")
    assert reference_table(run).empty


def test_a_run_without_trials_or_scores_has_empty_tables(over_tasks):
    for run in (results([], [], "nothing"), over_tasks({"none": [nan], "mine": [nan]})):
        overall, references = overall_table(run), reference_table(run)
        assert {name: str(kind) for name, kind in overall.dtypes.items()} == OVERALL_COLUMNS
        assert {name: str(kind) for name, kind in references.dtypes.items()} == REFERENCE_COLUMNS
        assert not overall["n"].any()
        assert references["p"].isna().all()


@few
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(timed, over_tasks, seed):
    random = np.random.default_rng(seed)
    whole = over_tasks({"none": np.outer(LEVEL, [1, 1.1]), "mine": np.outer(LEVEL, [1.2, nan])})
    for run in (timed, whole):
        tables = (table.sample(frac=1, random_state=random) for table in (run.points, run.trials))
        shuffled = results(*tables, "toys")
        for make in (overall_table, reference_table):
            pd.testing.assert_frame_equal(make(shuffled), make(run))

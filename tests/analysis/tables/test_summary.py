from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.friedman import friedman_test
from augbench.analysis.statistics.performance_profile import performance_ratios, profile_score
from augbench.analysis.tables.frame import results
from augbench.analysis.tables.summary import SUMMARY_COLUMNS, summary_scores, validation_targets
from augbench.datasets.errors import UserError

function_fixtures = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def at_hours(*values):
    """Points (hours, valid, test)."""
    return [(valid, test, hours, hours) for hours, valid, test in values]


@pytest.fixture
def run(trial, gather):
    """Three folds; the best reference is random_policy, whose median validation metric is .7."""
    return gather(
        *(trial("none", fold, at_hours((1, 0.6, 0.5 + 0.1 * fold))) for fold in range(3)),
        trial("random_policy", 0, at_hours((2, 0.6, 0.5), (4, 0.7, 0.55))),
        trial("random_policy", 1, at_hours((2, 0.72, 0.6), (4, 0.7, 0.9))),
        trial("random_policy", 2, at_hours((2, 0.6, 0.5), (4, 0.65, 0.7))),
        trial("augnet", 0, at_hours((1, 0.5, 0.4), (2, 0.8, 0.6), (3, 0.9, 0.7))),
        trial("augnet", 1, at_hours((1, 0.7, 0.5), (2, 0.6, 0.9))),
        trial("augnet", 2, [], state="failed", reason="out of memory"),
        *(trial("adda", fold, [], state="waiting") for fold in range(3)),
    )


def row(table, method, task="toy"):
    return table.set_index(["task", "method"]).loc[(task, method)]


def test_the_target_is_what_the_best_reference_reaches_in_validation(run):
    assert validation_targets(run) == {"toy": pytest.approx(0.7)}
    assert row(summary_scores(run), "augnet")["target"] == pytest.approx(0.7)
    renamed = replace(run, methods={"random_policy": "adda"})  # a reference in name only
    assert validation_targets(renamed) == {"toy": pytest.approx(0.6)}


def test_the_time_is_the_median_in_which_infinity_takes_part(run):
    table = summary_scores(run)
    augnet = row(table, "augnet")  # 2 hours, 1 hour, and one that failed
    assert (augnet["time_to_target"], augnet["reached"], augnet["timed"]) == (2, 2, 3)
    assert augnet["test_at_target"] == pytest.approx(0.55)  # of .6 .5; never the later .9
    policy = row(table, "random_policy")  # 4, 2, never
    assert (policy["time_to_target"], policy["reached"]) == (4, 2)
    assert row(table, "none")["time_to_target"] == np.inf
    assert np.isnan(row(table, "none")["test_at_target"])


def test_what_has_not_ended_has_no_time_yet(run, trial, gather):
    assert np.isnan(row(summary_scores(run), "adda")["time_to_target"])
    going = gather(
        trial("none", 0, at_hours((1, 0.6, 0.5))),
        trial("none", 1, at_hours((1, 0.2, 0.5)), state="running"),
    )
    none = row(summary_scores(going), "none")
    assert (none["time_to_target"], none["timed"], none["n"], none["planned"]) == (1, 1, 1, 2)


def test_targets_can_be_given(run):
    augnet = row(summary_scores(run, targets={"toy": 0.9}), "augnet")
    assert (augnet["target"], augnet["reached"], augnet["time_to_target"]) == (0.9, 1, np.inf)


def test_without_a_reference_there_is_no_target_and_no_time(trial, gather):
    alone = row(summary_scores(gather(trial("augnet", 0, at_hours((1, 0.9, 0.8))))), "augnet")
    assert alone[["target", "time_to_target", "test_at_target"]].isna().all()
    assert (alone["reached"], alone["iqm"]) == (0, 0.8)


def test_the_area_goes_from_zero_to_the_end_of_the_longest_run(run):
    table = summary_scores(run)
    assert (table["budget"] == 4).all()
    # nothing for an hour, then .4 and .6 for one each and .7 for the rest; .5 from 1 hour on
    areas = [(0.4 + 0.6 + 0.7) / 4, 0.5 * 3 / 4]
    assert row(table, "augnet")["area"] == pytest.approx(np.mean(areas))
    assert row(table, "none")["area"] == pytest.approx(0.6 * 3 / 4)


def test_runs_of_unequal_budgets_have_areas_up_to_the_same_hour(run):
    table = summary_scores(run, budgets={"toy": 2.0})
    assert row(table, "augnet")["area"] == pytest.approx(np.mean([0.4 / 2, 0.5 / 2]))
    assert row(table, "random_policy")["area"] == 0  # its first point comes at the end
    assert row(table, "none")["budget"] == 2


def test_other_axes_have_their_own_times_and_areas(run):
    table = summary_scores(run, axis="forward_paper")
    assert row(table, "augnet")["time_to_target"] == 2000
    assert row(table, "none")["area"] == pytest.approx(0.6 * 3 / 4)
    with pytest.raises(UserError, match="unknown axis 'hours'"):
        summary_scores(run, axis="hours")


def test_the_final_value_is_that_of_the_best_validation_of_runs_that_ended(run):
    augnet = row(summary_scores(run), "augnet")
    assert augnet["iqm"] == pytest.approx((0.7 + 0.5) / 2)
    assert augnet["optimality_gap"] == pytest.approx((0.3 + 0.5) / 2)
    assert (augnet["n"], augnet["planned"]) == (2, 3)
    assert augnet["why"] == "too few folds: 2 of 5 needed"
    assert augnet[["low", "high"]].isna().all()


def test_a_method_without_a_point_has_a_row_that_says_so(run):
    adda = row(summary_scores(run), "adda")
    assert (adda["n"], adda["planned"], adda["why"]) == (0, 3, "no run")
    assert adda[["iqm", "area", "time_to_target", "optimality_gap"]].isna().all()


def test_five_folds_have_an_interval_around_their_interquartile_mean(trial, gather):
    tests = [0.5, 0.52, 0.6, 0.58, 0.9]
    run = gather(*(trial("none", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests)))
    none = row(summary_scores(run), "none")
    assert none["iqm"] == pytest.approx(stats.trim_mean(tests, 0.25))
    assert 0.5 <= none["low"] < none["iqm"] < none["high"] <= 0.9
    assert none["why"] == ""


def test_the_area_has_an_interval_too(trial, gather):
    tests = [0.5, 0.52, 0.6, 0.58, 0.9]
    run = gather(*(trial("none", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests)))
    half = row(summary_scores(run, budgets={"toy": 2.0}), "none")  # of the time at its end
    assert half["area"] == pytest.approx(half["iqm"] / 2)
    assert half["area_low"] == pytest.approx(half["low"] / 2)
    assert half["area_high"] == pytest.approx(half["high"] / 2)
    few = gather(*(trial("none", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests[:4])))
    assert row(summary_scores(few), "none")[["area_low", "area_high"]].isna().all()


def test_the_same_results_give_the_same_interval(trial, gather):
    tests = np.random.default_rng(0).normal(0.5, 0.1, size=12)
    run = gather(*(trial("none", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests)))
    pd.testing.assert_frame_equal(summary_scores(run), summary_scores(run), check_exact=True)


def test_a_row_does_not_depend_on_other_methods(run, trial, gather):
    tests = [0.5, 0.52, 0.6, 0.58, 0.9]
    trials = [trial("none", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests)]
    others = [trial("a", k, at_hours((1, 0.5, test))) for k, test in enumerate(tests[::-1])]
    alone, beside = (summary_scores(gather(*each)) for each in (trials, others + trials))
    pd.testing.assert_series_equal(row(alone, "none"), row(beside, "none"))


def test_a_shared_gpu_spoils_hours_but_neither_samples_nor_the_metric(trial, gather):
    run = gather(
        trial("none", 0, at_hours((1, 0.6, 0.5))),
        trial("none", 1, at_hours((9, 0.6, 0.7)), device="gpu", shared=True),
    )
    hours, asked, samples = (
        row(summary_scores(run, **options), "none")
        for options in ({}, {"include_shared": True}, {"axis": "forward_full"})
    )
    assert (hours["timed"], asked["timed"], samples["timed"]) == (1, 2, 2)
    assert (hours["time_to_target"], asked["time_to_target"]) == (1, 5)
    assert (hours["budget"], asked["budget"], samples["budget"]) == (1, 9, 9000)
    assert hours["iqm"] == asked["iqm"] == pytest.approx(0.6)
    alone = gather(trial("none", 0, at_hours((9, 0.6, 0.7)), shared=True))
    spoilt = row(summary_scores(alone), "none")
    assert spoilt[["area", "budget", "time_to_target"]].isna().all()


def test_a_diverged_run_keeps_its_best_and_has_ended(trial, gather):
    run = gather(trial("none", 0, at_hours((1, 0.6, 0.5)), state="diverged", known=2))
    none = row(summary_scores(run), "none")
    assert (none["n"], none["timed"], none["iqm"]) == (1, 1, 0.5)


@pytest.mark.parametrize("n_trials", [0, 1])
def test_without_points_the_table_has_its_columns(trial, gather, n_trials):
    trials = [trial("none", 0, [], state="waiting")][:n_trials]
    table = summary_scores(gather(*trials) if trials else results([], [], "nothing"))
    assert {name: str(kind) for name, kind in table.dtypes.items()} == SUMMARY_COLUMNS
    assert len(table) == n_trials


def test_the_pivoted_table_is_what_tests_and_profiles_over_tasks_take(trial, gather):
    names = ("none", "augnet", "adda")
    trials = [
        trial(name, 0, at_hours((2**k + task, 0.6, 0.5 + 0.1 * k)), task=f"task {task}")
        for task in range(6)
        for k, name in enumerate(names)
    ]
    table = summary_scores(gather(*trials))
    scores, times = (
        table.pivot(index="task", columns="method", values=column)[list(names)].to_numpy()
        for column in ("iqm", "time_to_target")
    )
    assert friedman_test(scores).ranks.tolist() == [3, 2, 1]
    assert str(friedman_test(scores).iman_davenport) == "p < .001"
    np.testing.assert_allclose(performance_ratios(times)[0], [1, 2, 4])
    assert profile_score(performance_ratios(times))[0] == 1


@function_fixtures
@given(random=st.randoms())
def test_the_order_of_rows_does_not_matter(run, random):
    points, trials = (
        frame.iloc[random.sample(range(len(frame)), len(frame))]
        for frame in (run.points, run.trials)
    )
    shuffled = replace(run, points=points, trials=trials)
    pd.testing.assert_frame_equal(summary_scores(shuffled), summary_scores(run))


# Coarse, so that ties in validation and in x are frequent.
levels = st.sampled_from([0.5, 0.6, 0.7])
some_points = st.lists(st.tuples(st.integers(1, 5), levels, levels), min_size=1, max_size=6)


@function_fixtures
@given(points=some_points, target=levels)
def test_a_time_uses_no_point_of_the_future(trial, gather, points, target):
    def summary(kept):
        table = summary_scores(gather(trial("none", 0, at_hours(*kept))), targets={"toy": target})
        return row(table, "none")

    whole = summary(points)
    known = [point for point in points if point[0] <= whole["time_to_target"]]
    cut = summary(known)
    assert cut["time_to_target"] == whole["time_to_target"]
    assert cut["test_at_target"] == pytest.approx(whole["test_at_target"], nan_ok=True)


@function_fixtures
@given(points=some_points, later=some_points)
def test_the_area_up_to_a_budget_uses_no_point_beyond(trial, gather, points, later):
    beyond = [(hours + 5, valid, test) for hours, valid, test in later]
    areas = [
        row(
            summary_scores(gather(trial("none", 0, at_hours(*kept))), budgets={"toy": 5.0}), "none"
        )["area"]
        for kept in (points, points + beyond)
    ]
    assert areas[0] == pytest.approx(areas[1])


@function_fixtures
@given(points=some_points)
def test_a_trial_that_is_merged_with_its_own_copy_changes_no_median_and_no_area(
    trial, gather, points
):
    """A copy as another seed: the same run twice."""
    one, two = (
        row(
            summary_scores(
                gather(*(trial("none", 0, at_hours(*points), seed=seed) for seed in range(n)))
            ),
            "none",
        )
        for n in (1, 2)
    )
    same = ["iqm", "area", "time_to_target", "test_at_target", "optimality_gap"]
    assert one[same].tolist() == pytest.approx(two[same].tolist())

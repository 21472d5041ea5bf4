"""Two runs cell by cell, on runs made by hand: differences, verdicts, costs."""

import math

import pytest

from augbench.analysis.compare.cells import COMPARED_COLUMNS, FAILING, VERDICTS, compare_results
from augbench.analysis.statistics.paired import corrected_t_interval
from augbench.analysis.tables.frame import results


def scored(trial, tests, method="m", **changes):
    """A trial of a point for each fold, with these test metrics."""
    return [trial(method, fold, [(0.5, test, 1, 2)], **changes) for fold, test in enumerate(tests)]


@pytest.fixture
def compare(gather):
    def of(a, b, limit=0.01, **options):
        return compare_results(gather(*a), gather(*b), limit=limit, **options)

    return of


@pytest.fixture
def verdict(compare):
    def of(a, b, limit=0.01, **options):
        (found,) = compare(a, b, limit, **options)["verdict"]
        assert found in VERDICTS
        return found

    return of


def test_the_difference_is_the_mean_over_folds_with_the_corrected_interval(compare, trial):
    former, new = [0.5, 0.6, 0.7, 0.6], [0.52, 0.65, 0.71, 0.66]
    row = compare(scored(trial, former), scored(trial, new)).iloc[0]
    expected = corrected_t_interval(new, former, 1 / 3)
    assert row["difference"] == pytest.approx(0.035)
    assert (row["low"], row["high"]) == (expected.low, expected.high)
    assert row[["pairs", "folds", "n_a", "n_b"]].tolist() == [4, 4, 4, 4]
    assert row["iqm_a"] == pytest.approx(0.6)  # without the lowest and the highest


def test_only_equal_folds_and_seeds_are_compared_and_seeds_of_a_fold_are_one_value(compare, trial):
    a = [trial("m", f, [(0.5, 0.1 * f, 1, 1)], seed=s) for f in (0, 1, 2) for s in (0, 1)]
    b = [
        trial("m", f, [(0.5, 0.1 * f + 0.2 + 0.1 * f * s, 1, 1)], seed=s)
        for f, s in ((0, 0), (1, 0), (1, 1), (1, 2), (3, 0))
    ]
    row = compare(a, b).iloc[0]
    assert row["difference"] == pytest.approx((0.2 + (0.2 + 0.3) / 2) / 2)
    assert row[["pairs", "folds"]].tolist() == [3, 2]


def test_a_run_with_itself_is_all_equal(compare, grid, trial):
    run = grid(3, 3, 2)
    table = compare_results(run, run, limit=0.0)
    assert set(table["verdict"]) == {"equal"}
    assert (table["difference"] == 0).all()
    odd = [
        *scored(trial, [0.5, 0.6]),
        trial("m", 2, [], state="failed", reason="it broke"),
        trial("m", 3, [(0.5, 0.4, 1, 1)], state="diverged", known=2),
        trial("late", 0, [], state="waiting"),
    ]
    table = compare(odd, odd, 0.0).set_index("method")["verdict"]
    assert table.to_dict() == {"late": "no result yet", "m": "equal"}


@pytest.mark.parametrize(
    ("new", "limit", "expected"),
    [
        ([0.5, 0.6, 0.7], 0.01, "equal"),
        ([0.4, 0.51, 0.6], 0.01, "worse"),
        ([0.4, 0.51, 0.6], 0.2, "no worse"),
        ([0.4, 0.7, 0.5], 0.01, "undecided"),
        ([0.6, 0.71, 0.8], 0.01, "better"),
        ([0.501, 0.601, 0.7], 0.01, "no worse"),
        ([0.48, 0.58, 0.68], 0.01, "worse"),  # all alike, so no interval: the mean decides
        ([0.495, 0.595, 0.695], 0.01, "no worse"),
    ],
)
def test_worse_is_what_lies_wholly_below_the_limit(verdict, trial, new, limit, expected):
    assert verdict(scored(trial, [0.5, 0.6, 0.7]), scored(trial, new), limit) == expected


def test_one_fold_has_no_interval_and_its_mean_decides(compare, trial):
    row = compare(scored(trial, [0.5]), scored(trial, [0.48])).iloc[0]
    assert (row["verdict"], row["why_no_interval"]) == ("worse", "too few folds: 1 of 2 needed")
    assert math.isnan(row["low"])


def test_other_data_have_no_interval(compare, trial):
    a, b = scored(trial, [0.5, 0.6, 0.7]), scored(trial, [0.4, 0.51, 0.6])
    row = compare(a, b, other_data=["toy"]).iloc[0]
    assert row["why_no_interval"] == "the data differ, so the folds are no pairs"
    assert math.isnan(row["low"])
    assert row["difference"] == pytest.approx(-0.0967, abs=1e-4)


def test_a_cell_that_b_lacks_is_missing_and_one_that_it_adds_is_not_worse(compare, trial):
    a, b = scored(trial, [0.5], "old"), scored(trial, [0.5], "new")
    table = compare(a, b).set_index("method")["verdict"]
    assert table.to_dict() == {"old": "missing", "new": "only in B"}


def test_a_cell_that_b_skips_is_missing_with_the_reason(compare, trial):
    skipped = trial("m", 0, [], state="skipped", reason="it does not fit")
    row = compare(scored(trial, [0.5]), [skipped]).iloc[0]
    assert (row["verdict"], row["why"]) == ("missing", "skipped in B: it does not fit")
    assert compare([skipped], scored(trial, [0.5])).iloc[0]["verdict"] == "only in B"


@pytest.mark.parametrize("state", ["waiting", "running", "failed", "damaged", "diverged"])
def test_a_trial_that_a_has_done_and_b_has_not_is_not_done(compare, trial, state):
    a = scored(trial, [0.5, 0.6])
    b = [*scored(trial, [0.5]), trial("m", 1, [], state=state, reason="why")]
    row = compare(a, b).iloc[0]
    assert row["verdict"] == "not done"
    assert row["why"] == f"1 of 2 trials in B: {state} (why)"
    assert row[["done_a", "planned_a", "done_b", "planned_b"]].tolist() == [2, 2, 1, 2]


def test_what_fails_in_b_alone_counts_also_where_a_has_no_result(verdict, trial):
    failed, waiting = ([trial("m", 0, [], state=state)] for state in ("failed", "waiting"))
    assert verdict(waiting, failed) == "not done"
    assert verdict(failed, failed) == "no result yet"
    assert verdict(failed, waiting) == "no result yet"
    assert verdict(waiting, scored(trial, [0.5])) == "no result yet"
    assert set(FAILING) == {"worse", "missing", "not done", "not compared"}


def test_results_without_a_common_fold_are_not_compared(compare, trial):
    b = [trial("m", 5, [(0.5, 0.5, 1, 1)])]
    row = compare(scored(trial, [0.5]), b).iloc[0]
    assert (row["verdict"], row["why"]) == ("not compared", "no fold and seed in common")


def test_two_metrics_are_not_compared(gather, trial):
    a = gather(*scored(trial, [0.5]))
    b = results(a.points.assign(metric="accuracy"), a.trials, "toys")
    row = compare_results(a, b, limit=0.01).iloc[0]
    why = "the metric is balanced_accuracy in A and accuracy in B"
    assert (row["verdict"], row["why"]) == ("not compared", why)


def test_costs_are_those_of_the_pairs_samples_exactly(compare, trial):
    a = [trial("m", 0, [(0.5, 0.5, 1, 2)]), trial("m", 1, [(0.5, 0.5, 1, 7)])]
    b = [trial("m", 0, [(0.5, 0.5, 1, 3)]), trial("new", 0, [(0.5, 0.5, 1, 5)])]
    table = compare(a, b).set_index("method")
    columns = ["forward_a", "forward_b", "backward_a", "backward_b", "hours_a", "hours_b"]
    assert table.loc["m", columns].tolist() == [2000, 3000, 1000, 1500, 2, 3]
    assert table.loc["new", ["forward_b", "hours_b"]].tolist() == [5000, 5]
    assert table.loc["new", ["forward_a", "hours_a"]].isna().all()


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ({"device": "cpu"}, {"device": "gpu"}, "cpu in A, gpu in B"),
        ({"device": "gpu"}, {"device": "gpu", "shared": True}, "a shared GPU in B"),
        ({"device": "cpu + gpu"}, {"device": "cpu + gpu"}, "cpu + gpu in A"),
        ({"device": "gpu"}, {"device": "gpu"}, ""),
    ],
)
def test_hours_stand_only_where_the_devices_are_the_same(compare, trial, a, b, why):
    row = compare(scored(trial, [0.5], **a), scored(trial, [0.5], **b)).iloc[0]
    assert row["why_no_hours"] == why
    assert row[["hours_a", "hours_b"]].isna().tolist() == [bool(why)] * 2
    assert row[["forward_a", "forward_b"]].tolist() == [2000, 2000]


def test_several_devices_within_a_run_are_no_hours(compare, trial):
    mixed = [trial("m", 0, [(0.5, 0.5, 1, 1)]), trial("m", 1, [(0.5, 0.5, 1, 1)], device="gpu")]
    assert compare(mixed, mixed).iloc[0]["why_no_hours"] == "cpu and gpu in A"


def test_a_processor_that_was_busy_is_marked(gather, trial):
    a = gather(*scored(trial, [0.5]))
    b = results(a.points.assign(busy=0.5), a.trials, "toys")
    assert compare_results(a, b, limit=0.01).iloc[0]["slowed"] == "b"


def test_the_table_of_no_cells_has_all_columns(gather):
    table = compare_results(gather(), gather(), limit=0.01)
    assert list(table) == list(COMPARED_COLUMNS)

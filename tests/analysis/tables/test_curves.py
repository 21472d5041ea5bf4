import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augbench.analysis.statistics.aggregate import interquartile_mean
from augbench.analysis.tables.curves import (
    MOST_INTERVALS,
    best_so_far,
    curves,
    interval_curve,
    median_curve,
    quartiles,
)
from augbench.analysis.tables.frame import COSTS
from augbench.datasets.errors import UserError


def at_hours(*values):
    """Points (hours, test) whose validation rises, so that each is the best when it comes."""
    return [(0.01 * k, test, hours, hours) for k, (hours, test) in enumerate(values)]


def test_the_best_by_validation_brings_its_test_value_and_ties_keep_the_older(trial, gather):
    valid, test = [0.5, 0.7, 0.7, 0.6, 0.8], [0.1, 0.2, 0.3, 0.4, 0.05]
    points = [(v, t, k, k) for k, (v, t) in enumerate(zip(valid, test, strict=True), start=1)]
    runs = best_so_far(gather(trial("none", 0, points)).points, "hours_paper")
    assert runs["x"].tolist() == [1, 2, 3, 4, 5]
    assert runs["best"].tolist() == [1, 2, 2, 2, 5]
    assert runs["test"].tolist() == [0.1, 0.2, 0.2, 0.2, 0.05]
    assert runs["valid"].tolist() == [0.5, 0.7, 0.7, 0.7, 0.8]


def test_a_point_counts_from_its_own_x_on_even_where_the_paper_reading_falls(trial, gather):
    # point: paper hours 5, 4, 6; full hours 5, 8, 13
    points = [(0.8, 0.1, 5, 5), (0.7, 0.2, 4, 8), (0.9, 0.3, 6, 13)]
    run = gather(trial("adda", 0, points))
    paper, full = (best_so_far(run.points, axis) for axis in ("hours_paper", "hours_full"))
    assert paper[["x", "point", "best"]].values.tolist() == [[4, 2, 2], [5, 1, 1], [6, 3, 3]]
    assert full[["x", "point", "best"]].values.tolist() == [[5, 1, 1], [8, 2, 1], [13, 3, 3]]


def test_a_tie_goes_to_the_smaller_number_even_when_it_comes_later_in_x(trial, gather):
    run = gather(trial("adda", 0, [(0.8, 0.1, 5, 5), (0.8, 0.2, 4, 8)]))
    assert best_so_far(run.points, "hours_paper")["best"].tolist() == [2, 1]
    assert best_so_far(run.points, "hours_full")["best"].tolist() == [1, 1]


def test_trials_do_not_see_each_others_best(trial, gather):
    run = gather(trial("none", 0, [(0.9, 0.1, 1, 1)]), trial("none", 1, [(0.2, 0.3, 1, 1)]))
    assert best_so_far(run.points, "hours_full")["test"].tolist() == [0.1, 0.3]


def test_an_unknown_axis_is_named(trial, gather):
    run = gather(trial("none", 0, [(0.9, 0.1, 1, 1)]))
    with pytest.raises(UserError, match="unknown axis 'hours_papre'; did you mean 'hours_paper'"):
        best_so_far(run.points, "hours_papre")


THREE = (  # late starters, an early ender
    at_hours((1, 0.1), (3, 0.3), (5, 0.5)),
    at_hours((2, 0.2), (4, 0.6)),
    at_hours((2.5, 0.4)),
)


def test_the_curve_starts_where_all_have_begun_and_ended_trials_keep_their_last_value(
    trial, gather
):
    run = gather(*(trial("none", fold, points) for fold, points in enumerate(THREE)))
    curve = curves(run, "hours_full")
    # at 2.5: .1 .2 .4; at 3: .3 .2 .4; at 4: .3 .6 .4; at 5: .5 .6 .4
    assert curve["x"].tolist() == [2.5, 3, 4, 5]
    np.testing.assert_allclose(curve["median"], [0.2, 0.3, 0.4, 0.5])
    np.testing.assert_allclose(curve["q1"], [0.15, 0.25, 0.35, 0.45])
    np.testing.assert_allclose(curve["q3"], [0.3, 0.35, 0.5, 0.55])
    assert curve["n"].tolist() == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("state", "known", "n", "last"),
    [
        ("done", 2, [3, 3, 3, 3], 0.5),
        ("over budget", 2, [3, 3, 3, 3], 0.5),
        ("diverged", 2, [3, 3, 3, 3], 0.5),
        ("running", 2, [3, 3, 3, 2], 0.45),
        ("failed", 2, [3, 3, 3, 2], 0.45),
        ("done", 3, [3, 3, 3, 2], 0.45),  # an evaluation is still to come
    ],
)
def test_only_trials_that_have_ended_are_padded(trial, gather, state, known, n, last):
    run = gather(
        trial("none", 0, THREE[0]),
        trial("none", 1, THREE[1], state=state, known=known),
        trial("none", 2, THREE[2]),
    )
    curve = curves(run, "hours_full")
    assert curve["n"].tolist() == n
    assert curve["median"].iloc[-1] == pytest.approx(last)


def test_a_trial_without_points_holds_nothing_back(trial, gather):
    run = gather(trial("none", 0, THREE[0]), trial("none", 1, [], state="waiting"))
    curve = curves(run, "hours_full")
    assert curve["x"].tolist() == [1, 3, 5]
    assert curve["n"].tolist() == [1, 1, 1]


def test_of_points_at_one_x_all_count(trial, gather):
    run = gather(trial("none", 0, [(0.5, 0.1, 1, 1), (0.6, 0.2, 1, 1), (0.55, 0.3, 1, 1)]))
    assert curves(run, "hours_full")["median"].tolist() == [0.2]


def test_seeds_are_trials_of_their_own(trial, gather):
    run = gather(*(trial("none", 0, at_hours((1, 0.1 * seed)), seed=seed) for seed in range(5)))
    curve = curves(run, "hours_full")
    assert curve["n"].tolist() == [5]
    np.testing.assert_allclose(curve[["q1", "median", "q3"]], [[0.1, 0.2, 0.3]])


def test_paper_and_full_hours_and_samples_are_different_axes(trial, gather):
    run = gather(trial("adda", 0, [(0.5, 0.1, 1, 1), (0.6, 0.2, 2, 3)]))
    x = {axis: curves(run, axis)["x"].tolist() for axis in COSTS}
    assert x["hours_paper"] == [1, 2]
    assert x["hours_full"] == [1, 3]
    assert x["forward_paper"] == [1000, 2000]
    assert x["forward_full"] == [1000, 3000]
    assert x["backward_paper"] == [500, 1000]
    assert x["backward_full"] == [500, 1500]


def test_a_trial_on_a_shared_gpu_is_off_the_hour_axes_unless_asked_for(trial, gather):
    run = gather(
        trial("none", 0, at_hours((1, 0.1))), trial("none", 1, at_hours((2, 0.3)), shared=True)
    )
    assert curves(run, "hours_full")["median"].tolist() == [0.1]
    assert curves(run, "hours_full", include_shared=True)["median"].tolist() == [0.2]
    assert curves(run, "forward_full")["median"].tolist() == [0.2]


def test_a_marker_stands_where_the_last_trial_reaches_the_point(trial, gather):
    run = gather(trial("none", 0, THREE[0]), trial("none", 1, THREE[1]))
    # point 1 is reached at 1 and 2, point 2 at 3 and 4, point 3 by the first trial alone at 5
    curve = curves(run, "hours_full")
    assert curve["x"].tolist() == [2, 3, 4, 5]
    assert curve["marker"].tolist() == [True, False, True, True]


def test_of_many_points_the_doublings_and_the_last_are_marked(trial, gather):
    run = gather(trial("none", 0, at_hours(*((k, 0.01 * k) for k in range(1, 21)))))
    curve = curves(run, "hours_full")
    assert curve.loc[curve["marker"], "x"].tolist() == [1, 2, 4, 8, 16, 20]


def test_no_points_give_a_table_without_rows(trial, gather):
    table = curves(gather(trial("none", 0, [], state="waiting")), "hours_paper")
    assert table.shape == (0, 8)
    pd.testing.assert_series_equal(
        table.dtypes,
        curves(gather(trial("none", 0, THREE[0])), "hours_paper").dtypes,
    )


# Coarse values, so that ties in validation and in x are frequent.
some_points = st.lists(
    st.tuples(
        st.sampled_from([0.5, 0.6, 0.7]),
        st.sampled_from([0.1, 0.2, 0.3, 0.4]),
        st.sampled_from([1.0, 2.0, 3.0, 4.0]),
        st.sampled_from([1.0, 2.0, 3.0, 4.0]),
    ),
    min_size=1,
    max_size=8,
)
function_fixtures = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@function_fixtures
@given(folds=st.lists(some_points, min_size=1, max_size=3), random=st.randoms())
def test_the_running_best_is_the_best_of_all_points_up_to_x(trial, gather, folds, random):
    run = gather(*(trial("none", fold, points) for fold, points in enumerate(folds)))
    runs = best_so_far(run.points, "hours_paper")
    for _, own in runs.groupby("trial"):
        assert own["x"].is_monotonic_increasing
        assert own["valid"].is_monotonic_increasing
    for row in runs.drop_duplicates(["trial", "x"], keep="last").itertuples():
        known = folds[row.fold]
        reached = [k for k, point in enumerate(known, start=1) if point[2] <= row.x]
        expected = min(reached, key=lambda k: (-known[k - 1][0], k))
        assert (row.best, row.test) == (expected, known[expected - 1][1])

    order = list(range(len(run.points)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(best_so_far(run.points.iloc[order], "hours_paper"), runs)
    ids = frozenset(run.trials["trial"])
    shuffled = runs.sample(frac=1, random_state=random.randrange(1000))
    pd.testing.assert_frame_equal(median_curve(shuffled, ids), median_curve(runs, ids))


@function_fixtures
@given(points=some_points)
def test_a_trial_ends_at_the_same_point_on_every_axis(trial, gather, points):
    run = gather(trial("none", 0, points))
    assert len({int(best_so_far(run.points, axis)["best"].iloc[-1]) for axis in COSTS}) == 1


@function_fixtures
@given(folds=st.lists(some_points, min_size=1, max_size=3))
def test_a_run_merged_with_itself_has_the_same_curve(trial, gather, folds):
    run = gather(*(trial("none", fold, points) for fold, points in enumerate(folds)))
    ids = frozenset(run.trials["trial"])
    once, twice = (
        median_curve(best_so_far(points, "hours_paper"), ids)
        for points in (run.points, pd.concat([run.points, run.points]))
    )
    pd.testing.assert_frame_equal(twice, once)


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 40))
def test_quartiles_are_those_of_numpy_whatever_is_missing(seed, n_trials, n_columns):
    random = np.random.default_rng(seed)
    values = random.normal(size=(n_trials, n_columns)).round(1)
    values[random.random(values.shape) < 0.3] = np.nan
    values[random.integers(n_trials, size=n_columns), np.arange(n_columns)] = 0.5
    assert np.array_equal(quartiles(values), np.nanquantile(values, [0.25, 0.5, 0.75], axis=0))


def test_the_interquartile_mean_is_that_of_the_trials_at_each_time(trial, gather):
    ends = [0.1, 0.2, 0.3, 0.5, 0.9, 0.4]
    run = gather(
        *(trial("none", fold, at_hours((1, 0.1), (2, end))) for fold, end in enumerate(ends))
    )
    curve = curves(run, "hours_full", band="iqm")
    assert list(curve) == ["task", "method", "x", "iqm", "low", "high", "n", "marker"]
    assert curve["x"].tolist() == [1, 2]
    # One of 6 is cut from each end: (.2 + .3 + .4 + .5) / 4.
    assert curve["iqm"].tolist() == pytest.approx([0.1, 0.35])
    assert curve["low"].iloc[0] == curve["high"].iloc[0] == pytest.approx(0.1)
    assert 0.1 <= curve["low"].iloc[1] < 0.35 < curve["high"].iloc[1] <= 0.9


def test_of_few_folds_there_is_a_mean_and_no_interval(trial, gather):
    run = gather(*(trial("none", fold, points) for fold, points in enumerate(THREE)))
    curve = curves(run, "hours_full", band="iqm")
    assert curve["iqm"].tolist() == pytest.approx([0.7 / 3, 0.3, 1.3 / 3, 0.5])
    assert curve["low"].isna().all()
    assert curve["high"].isna().all()
    assert curve["n"].tolist() == [3, 3, 3, 3]


def test_seeds_of_one_fold_have_an_interval_and_seeds_of_folds_go_with_their_fold(trial, gather):
    def band(runs):
        points = (trial("none", f, at_hours((1, test)), seed=s) for f, s, test in runs)
        return curves(gather(*points), "hours_full", band="iqm").iloc[0]

    values = [0.1, 0.2, 0.4, 0.7, 0.9, 0.95]
    seeds = band([(0, seed, value) for seed, value in enumerate(values)])
    folds = band([(fold, 0, value) for fold, value in enumerate(values)])
    both = band([(fold, seed, value) for fold, value in enumerate(values) for seed in (0, 1)])
    assert seeds[["low", "high"]].tolist() == folds[["low", "high"]].tolist()
    assert (both["low"], both["high"]) == pytest.approx((folds["low"], folds["high"]), abs=0.1)


def test_a_long_curve_has_some_200_intervals_and_keeps_ends_and_markers(trial, gather):
    random = np.random.default_rng(0)
    trials = [
        trial("none", fold, at_hours(*((k + 0.1 * fold, random.random()) for k in range(1, 400))))
        for fold in range(5)
    ]
    run = gather(*trials)
    whole, few = (curves(run, "hours_full", band=band) for band in ("quartiles", "iqm"))
    assert len(few) <= MOST_INTERVALS + whole["marker"].sum() + 2
    assert set(few["x"]) <= set(whole["x"])
    assert few["x"].iloc[[0, -1]].tolist() == whole["x"].iloc[[0, -1]].tolist()
    assert few.loc[few["marker"], "x"].tolist() == whole.loc[whole["marker"], "x"].tolist()
    pd.testing.assert_frame_equal(few, curves(run, "hours_full", band="iqm"))


def test_times_at_which_nothing_changes_have_no_row_of_their_own(trial, gather):
    points = [(0.9, 0.5, 1, 1), *((0.1, 0.2, k, k) for k in range(2, 30))]
    run = gather(*(trial("none", fold, points) for fold in range(5)))
    few = curves(run, "hours_full", band="iqm")
    assert few["x"].tolist() == [1, 2, 4, 8, 16, 29]  # the first, the markers
    assert few["iqm"].tolist() == pytest.approx([0.5] * 6)


def test_a_point_whose_wall_time_is_not_known_is_on_no_wall_axis(trial, gather):
    (keys, rows), other = trial("none", 0, THREE[0]), trial("none", 1, THREE[1])
    for row in rows:
        row["hours_wall"] = float("nan")
    run = gather((keys, rows), other)
    assert curves(run, "hours_wall")["x"].tolist() == [2.5, 5]
    assert curves(run, "hours_full")["n"].max() == 2


def test_an_unknown_band_is_named(trial, gather):
    with pytest.raises(UserError, match="unknown band 'iqn'; did you mean 'iqm'"):
        curves(gather(trial("none", 0, THREE[0])), "hours_full", band="iqn")


@function_fixtures
@given(folds=st.lists(some_points, min_size=1, max_size=7))
def test_an_interval_curve_is_the_mean_of_what_a_median_curve_is_the_median_of(
    trial, gather, folds
):
    run = gather(*(trial("none", fold, points) for fold, points in enumerate(folds)))
    runs, ids = best_so_far(run.points, "hours_paper"), frozenset(run.trials["trial"])
    median, mean = median_curve(runs, ids), interval_curve(runs, ids)
    assert set(mean["x"]) <= set(median["x"])
    for row in mean.itertuples():
        own = runs[runs["x"] <= row.x].groupby("trial")["test"].last()
        assert row.iqm == pytest.approx(float(interquartile_mean(own.to_numpy())))
        assert np.isnan(row.low) == (len(folds) < 5)

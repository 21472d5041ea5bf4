from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from augbench.analysis.statistics.aggregate import interquartile_mean, optimality_gap
from augbench.analysis.statistics.bootstrap import bootstrap_band, stratified_bootstrap

N_SIMULATIONS = 1000
quick = partial(stratified_bootstrap, n_resamples=1000)


def generator(seed=0):
    return np.random.default_rng(seed)


def coverage(draw, truth, **options):
    """How often the interval of simulated data holds the truth; ``draw`` gives the tasks."""
    random, hits = generator(7), 0
    for _ in range(N_SIMULATIONS):
        found = quick(draw(random), random, **options)
        hits += found.low <= truth <= found.high
    return hits / N_SIMULATIONS


# Means around 0 and symmetrical, so that the interquartile mean of the truth is 0.
def one_task(folds):
    return lambda random: [random.normal(size=folds)]


def three_tasks(random):
    return [random.normal(mean, size=10) for mean in (-2, 0, 2)]


def alike_seeds(random):  # the folds differ more than the seeds of one fold
    return [random.normal(size=(8, 1)) + 0.3 * random.normal(size=(8, 3))]


@pytest.mark.parametrize(
    "draw",
    [one_task(6), one_task(10), one_task(30), three_tasks, alike_seeds],
    ids=["6 folds", "10 folds", "30 folds", "3 tasks", "folds with seeds"],
)
def test_an_interval_of_95_percent_covers_93_to_97_percent(draw):
    assert 0.93 <= coverage(draw, 0.0) <= 0.97


def test_of_five_folds_it_covers_more_than_plain_percentiles_do():
    plain, ours = (coverage(one_task(5), 0.0, expanded=expanded) for expanded in (False, True))
    assert plain < 0.92 < 0.93 < ours < 0.97


def test_seeds_of_one_fold_are_not_taken_for_folds():
    """Or the interval would be too narrow."""
    flat = coverage(lambda random: [alike_seeds(random)[0].ravel()], 0.0)
    assert flat < 0.85


def test_plain_percentiles_are_those_of_scipy():
    runs = generator(3).normal(size=25)
    ours = stratified_bootstrap([runs], generator(), expanded=False, n_resamples=20_000)
    theirs = stats.bootstrap(
        (runs,),
        partial(stats.trim_mean, proportiontocut=0.25, axis=-1),
        vectorized=False,
        n_resamples=4_000,
        method="percentile",
        rng=generator(1),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert ours.value == pytest.approx(stats.trim_mean(runs, 0.25))


def test_tasks_are_strata_so_that_their_levels_add_no_spread():
    near = [generator(task).normal(size=10) for task in range(3)]
    far = [runs + 100 * task for task, runs in enumerate(near)]
    widths = []
    for tasks in (near, far):
        found = quick(tasks, generator(), statistic=partial(np.mean, axis=-1))
        widths.append(found.high - found.low)
    assert widths[0] == pytest.approx(widths[1])


def test_the_same_generator_gives_the_same_interval_and_another_one_another():
    runs = [generator(5).normal(size=12)]
    assert quick(runs, generator(1)) == quick(runs, generator(1))
    assert quick(runs, generator(1)) != quick(runs, generator(2))


def test_numpys_global_state_is_neither_read_nor_changed():
    runs = [generator(5).normal(size=12)]
    np.random.seed(3)  # noqa: NPY002
    found, after = quick(runs, generator()), np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002
    assert quick(runs, generator()) == found


def test_another_statistic_has_an_interval_too():
    runs = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
    found = quick([runs], generator(), statistic=optimality_gap)
    assert found.value == pytest.approx(0.3)
    assert 0.1 <= found.low < 0.3 < found.high <= 0.5


@pytest.mark.parametrize(
    ("tasks", "value", "n", "reason"),
    [
        ([[0.5]], 0.5, 1, "too few runs: 1 of 5 needed"),
        ([[0.5, 0.6, 0.7]], 0.6, 3, "too few folds: 3 of 5 needed"),
        ([[0.5, 0.6, 0.7, np.nan]], 0.6, 3, "too few folds: 3 of 5 needed"),
        ([[[0.5, 0.6, 0.7]]], 0.6, 3, "too few runs: 3 of 5 needed"),
        ([[[0.5, 0.6], [0.5, 0.6]]], 0.55, 4, "too few folds: 2 of 5 needed"),
        ([[0.5, 0.6], [0.5, 0.6]], 0.55, 4, "too few folds: 4 of 6 needed"),
        ([[0.5] * 9, [np.nan]], np.nan, 9, "no run on 1 of 2 tasks"),
        ([[]], np.nan, 0, "no run"),
        ([], np.nan, 0, "no run"),
    ],
)
def test_where_there_is_too_little_there_is_a_sentence_and_no_interval(tasks, value, n, reason):
    found = quick([np.array(runs, dtype=float) for runs in tasks], generator())
    assert (found.n, found.reason) == (n, reason)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert np.isnan([found.low, found.high]).all()


def test_five_seeds_of_one_fold_are_drawn_as_folds_would_be():
    seeds = np.array([[0.5, 0.6, 0.7, 0.8, 0.9]])
    assert quick([seeds], generator()) == quick([seeds[0]], generator())


def test_a_failed_cell_leaves_the_other_seeds_of_its_fold():
    runs = generator(4).normal(size=(6, 3))
    runs[2, 1] = np.nan
    found = quick([runs], generator())
    assert (found.n, found.reason) == (17, "")
    assert found.value == pytest.approx(stats.trim_mean(runs[~np.isnan(runs)], 0.25))
    runs[2] = np.nan  # a whole fold: nothing of it is drawn
    rest = np.delete(runs, 2, axis=0)
    assert quick([runs], generator()) == quick([rest], generator())


def test_equal_runs_have_an_interval_of_no_width():
    found = quick([np.full(6, 0.5)], generator())
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_infinite_runs_give_an_infinite_end_and_no_nan():
    found = quick([np.array([1.0, 2, 3, 4, 5, np.inf, np.inf])], generator())
    assert np.isfinite(found.low)
    assert found.high == np.inf


@given(st.lists(st.floats(0, 1), min_size=5, max_size=9), st.randoms())
@settings(max_examples=25, deadline=None)
def test_an_interval_lies_within_the_values_and_around_the_estimate(values, random):
    runs = np.array(values)
    found = quick([runs], generator())
    assert runs.min() - 1e-12 <= found.low <= found.high <= runs.max() + 1e-12
    assert found.low - 1e-12 <= found.value <= found.high + 1e-12
    shuffled = np.array(random.sample(values, len(values)))
    assert interquartile_mean(shuffled) == pytest.approx(found.value)


@pytest.mark.parametrize("shape", [(5, 1), (8, 1), (6, 3), (1, 7)])
def test_a_band_is_the_interval_of_each_point(shape):
    runs = generator(1).normal(size=(*shape, 4))
    found = bootstrap_band(runs, generator(2), n_resamples=10_000)
    assert found.shape == (3, 4)
    for point in range(4):
        alone = stratified_bootstrap([runs[..., point]], generator(2))  # the same draws
        assert found[:, point] == pytest.approx([alone.value, alone.low, alone.high])


def test_a_band_ends_where_too_few_runs_are_left():
    runs = generator(1).normal(size=(6, 1, 4))
    runs[0, 0, 1:] = np.nan  # 5 folds are left
    runs[1, 0, 2:] = np.nan  # 4
    runs[:, 0, 3] = np.nan  # none
    found = bootstrap_band(runs, generator())
    assert np.isnan(found[1:]).tolist() == [[False, False, True, True]] * 2
    assert np.isnan(found[0]).tolist() == [False, False, False, True]
    assert found[0, 2] == pytest.approx(float(interquartile_mean(runs[2:, 0, 2])))


def test_equal_points_have_equal_intervals():
    runs = np.repeat(generator(1).normal(size=(7, 2, 1)), 3, axis=2)
    found = bootstrap_band(runs, generator())
    assert (found == found[:, :1]).all()

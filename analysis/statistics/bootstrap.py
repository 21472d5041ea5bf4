"""Intervals by resampling folds (or seeds, where there is one fold), within each task."""

from collections.abc import Callable, Sequence
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augbench.analysis.statistics.aggregate import interquartile_mean
from augbench.analysis.statistics.paired import CONFIDENCE_LEVEL
from augbench.analysis.statistics.result import IntervalEstimate, too_few

N_RESAMPLES = 10_000
N_BAND_RESAMPLES = 1_000  # of a band, in which 200 intervals stand side by side
# Folds beyond one a task. With fewer no percentiles cover 95 %: even the range of all values of 4
# folds misses their median once in 8 times.
LEAST_FREEDOM = 4

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]  # (..., runs) -> (...,)


def stratified_bootstrap(
    tasks: Sequence[NDArray[np.float64]],
    generator: np.random.Generator,
    *,
    statistic: Statistic = interquartile_mean,
    confidence_level: float = CONFIDENCE_LEVEL,
    n_resamples: int = N_RESAMPLES,
    expanded: bool = True,
) -> IntervalEstimate:
    """A statistic over the runs of all tasks, with its interval.

    ``tasks`` has the runs of each task, (folds,) or (folds, seeds), NaN where a run is missing.
    Folds are drawn anew within each task, with all of their seeds, because runs of one fold are
    alike; seeds are drawn where a task has one fold. ``n`` counts the runs.
    There is no interval below 4 folds more than tasks, and no value where a task has no run.
    A percentile interval of few folds is too narrow: it covers 90 % for 5 folds of one task, 91 %
    for 5 folds of each of 5 tasks. So its percentiles are moved out as far as those of a normal
    distribution would be to give a t-interval. For interquartile means it then covers 93 to 97 %
    from 5 folds a task on, and 91 % for 3 folds of each of 5 tasks; for means 91 % for 5 folds and
    93 % for 8 (2,500 simulations each). ``expanded=False`` keeps the percentiles.
    Source: Agarwal et al. 2021, section 4.1; Davison and Hinkley 1997, section 3.8, on folds with
    all of their seeds; after Hesterberg 2015, What Teachers Should Know about the Bootstrap, on
    moving the percentiles.
    """
    units = [_units(runs) for runs in tasks]
    n = sum(int((~np.isnan(runs)).sum()) for runs in units)
    empty = sum(not len(runs) for runs in units)
    if empty or not units:
        where = f" on {empty} of {len(units)} tasks" if len(units) > 1 else ""
        return IntervalEstimate(nan, nan, nan, n, f"no run{where}")
    value = float(statistic(np.concatenate([runs.ravel() for runs in units])))
    n_units = sum(map(len, units))
    if n_units - len(units) < LEAST_FREEDOM:
        what = "folds" if any(len(_rows(runs)) > 1 for runs in tasks) else "runs"
        reason = too_few(what, n_units, len(units) + LEAST_FREEDOM)
        return IntervalEstimate(value, nan, nan, n, reason)
    drawn = np.concatenate([_resample(runs, generator, n_resamples) for runs in units], axis=1)
    found = np.sort(statistic(drawn))  # (resamples,)
    tail = (1 - confidence_level) / 2
    if expanded:
        tail = _expanded_tail(tail, n_units, len(units))
    outside = int(tail * n_resamples)
    return IntervalEstimate(value, float(found[outside]), float(found[-1 - outside]), n)


def bootstrap_band(
    runs: NDArray[np.float64],
    generator: np.random.Generator,
    *,
    confidence_level: float = CONFIDENCE_LEVEL,
    n_resamples: int = N_BAND_RESAMPLES,
) -> NDArray[np.float64]:
    """Interquartile means at the points of a curve, with their intervals.

    ``runs`` of one task, (folds, seeds, points), NaN where a run is missing -> value, low and high,
    (3, points), each as by ``stratified_bootstrap``: NaN where there is no run or no interval.
    Points at which the same runs are there share their draws, so that a band does not tremble.
    """
    found = np.full((3, runs.shape[-1]), nan)
    missing = np.isnan(runs).reshape(-1, runs.shape[-1])  # (folds x seeds, points)
    kinds, kind_of = np.unique(missing, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        points = np.flatnonzero(kind_of.ravel() == kind)
        units = _units_of_points(runs[..., points])
        if not units.size:
            continue
        found[0, points] = interquartile_mean(units.reshape(-1, len(points)).T)
        if len(units) - 1 < LEAST_FREEDOM:
            continue
        drawn = np.sort(generator.integers(len(units), size=(n_resamples, len(units))), axis=1)
        distinct, each = np.unique(drawn, axis=0, return_inverse=True)  # 126 of 1,000 for 5 folds
        tail = _expanded_tail((1 - confidence_level) / 2, len(units), 1)
        outside = int(tail * n_resamples)
        for column, point in enumerate(points):
            resampled = units[distinct, :, column].reshape(len(distinct), -1)
            ordered = np.sort(interquartile_mean(resampled)[each.ravel()])
            found[1:, point] = ordered[outside], ordered[-1 - outside]
    return found


def _units_of_points(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is drawn together, of points that lack the same runs: as `_units`, with the points."""
    units = runs[~np.isnan(runs).all(axis=(1, 2))]
    if len(units) == 1:
        seeds = units[0]
        units = seeds[~np.isnan(seeds).all(axis=1)][:, None]
    return units


def _rows(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(folds,) or (folds, seeds) -> (folds, seeds), without folds that have no run."""
    runs = np.asarray(runs, dtype=np.float64)
    runs = runs[:, None] if runs.ndim == 1 else runs
    return runs[~np.isnan(runs).all(axis=1)]


def _units(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is drawn together: (folds, seeds), or (seeds, 1) of one fold."""
    rows = _rows(runs)
    return rows[0][~np.isnan(rows[0])][:, None] if len(rows) == 1 else rows


def _resample(
    units: NDArray[np.float64], generator: np.random.Generator, n_resamples: int
) -> NDArray[np.float64]:
    """(units, seeds) -> (resamples, units x seeds)."""
    drawn = generator.integers(len(units), size=(n_resamples, len(units)))
    return units[drawn].reshape(n_resamples, -1)


def _expanded_tail(tail: float, n_units: int, n_tasks: int) -> float:
    """The share below the lower percentile that makes the interval as wide as a t-interval."""
    freedom = n_units - n_tasks
    # The mean of each task is its own, so the spread within tasks is drawn too small. Hesterberg
    # has n_units here, for means; an interquartile mean of 8 to 10 folds is then covered at 97.5 %.
    shrunk = sqrt((n_units - 1) / freedom)
    return float(stats.norm.sf(shrunk * stats.t.isf(tail, freedom)))

"""Curves: the best so far of each trial, and a line and a band over a method's trials.

All are step functions given at their event times; nothing is interpolated or smoothed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from augbench.analysis.statistics.bootstrap import bootstrap_band
from augbench.analysis.tables.bands import BANDS, Band
from augbench.analysis.tables.frame import AXES, LEAST_BUSY, Results, ended
from augbench.datasets.errors import unknown

MOST_INTERVALS = 200  # of a curve of intervals, about one for each second pixel
SEED = 0  # of the resampling: the same results give the same bands
ALL_MARKED = 8  # curves of more points than this have markers at 1, 2, 4, 8, ... and the last

RUN_KEYS = ["task", "method", "fold", "seed", "trial"]
CURVE_COLUMNS = {
    "x": "float64",
    "median": "float64",
    "q1": "float64",
    "q3": "float64",
    "n": "int64",  # trials behind this value
    "marker": "bool",  # here the last of the trials reaches a point that gets a marker
}


def curve_columns(band: Band) -> dict[str, str]:
    """``CURVE_COLUMNS``, with those of a band in the places of median and quartiles."""
    names = dict(zip(BANDS["quartiles"][:3], band[:3], strict=True))
    return {names.get(name, name): kind for name, kind in CURVE_COLUMNS.items()}


def best_so_far(points: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The running best by validation of every trial, along one of ``frame.AXES``.

    Returns one row per point, columns ``RUN_KEYS``, ``point``, ``x`` (where it became available),
    ``best`` (number of the best point available at x), and that point's ``valid`` and ``test``;
    ordered by x within a trial. Of rows with equal x the last one counts. UserError: an unknown
    axis.
    Source: Rommel et al. 2022 (AugNet), figure 8: strict >, ties keep the older point.
    """
    if axis not in AXES:
        raise unknown("axis", axis, AXES)
    # A point is available from its own x on. In the paper reading x may fall from one point to the
    # next, since each adds only its own retraining. So rows are ordered by x, not by the number of
    # the point; a tie in validation keeps the smaller number, whichever came first in x. The best
    # at x then depends only on the set of points up to x, and every trial ends at the same point
    # on every axis and in the table.
    runs = points[[*RUN_KEYS, "point", "valid", "test"]].assign(x=points[axis].astype("float64"))
    runs = runs.sort_values([*RUN_KEYS, "x", "point"], ignore_index=True)
    trial, number = runs["trial"].to_numpy(), runs["point"].to_numpy()
    valid, test = runs["valid"].to_numpy(), runs["test"].to_numpy()
    best = np.arange(len(runs))  # row of the best so far, for every row
    for row in range(1, len(runs)):
        held = best[row - 1]
        same_trial = trial[row] == trial[held]
        if same_trial and (-valid[row], number[row]) > (-valid[held], number[held]):
            best[row] = held
    runs = runs.assign(best=number[best], valid=valid[best], test=test[best])
    return runs[[*RUN_KEYS, "point", "x", "best", "valid", "test"]]


class _Carried(NamedTuple):
    """The trials of one method on one grid of times, from the time on at which all have begun."""

    trials: list[pd.DataFrame]
    grid: np.ndarray  # (grid,)
    values: np.ndarray  # (trials, grid), NaN where a trial has no value
    marker: np.ndarray  # (grid,) of bool


def median_curve(runs: pd.DataFrame, ended_trials: frozenset[str]) -> pd.DataFrame:
    """Median and quartiles over the trials of one method on one task.

    ``runs`` is the result of ``best_so_far`` for one method; ``ended_trials`` are ids. Returns the
    columns of ``CURVE_COLUMNS``, one row per event time of any trial, from the time on at which
    every trial has a point.
    Source: last observation carried forward, as for AugNet's curve in Rommel et al. 2022, figure 8.
    """
    if runs.empty:
        return _no_curve(CURVE_COLUMNS)
    carried = _on_one_grid(runs, ended_trials)
    q1, median, q3 = quartiles(carried.values)
    return _curve(BANDS["quartiles"], carried, median, q1, q3)


def interval_curve(runs: pd.DataFrame, ended_trials: frozenset[str]) -> pd.DataFrame:
    """The interquartile mean over the trials of one method on one task, with its 95 % interval.

    As ``median_curve``, with the columns of the band "iqm". Times at which no trial changes are
    left out, and of the others those beyond about ``MOST_INTERVALS``, evenly. The intervals are
    those of ``bootstrap_band`` over folds with their seeds; empty where there are too few.
    """
    band = BANDS["iqm"]
    if runs.empty:
        return _no_curve(curve_columns(band))
    carried = _fewer(_on_one_grid(runs, ended_trials))
    keys = pd.DataFrame([trial[["fold", "seed"]].iloc[0] for trial in carried.trials])
    fold, seed = (np.unique(keys[name], return_inverse=True)[1] for name in ("fold", "seed"))
    by_fold = np.full((fold.max() + 1, seed.max() + 1, len(carried.grid)), np.nan)
    by_fold[fold, seed] = carried.values  # (folds, seeds, grid)
    # Each curve draws from the start of the same stream, so that none depends on the others.
    return _curve(band, carried, *bootstrap_band(by_fold, np.random.default_rng(SEED)))


CURVES: dict[str, Callable[[pd.DataFrame, frozenset[str]], pd.DataFrame]] = {
    "quartiles": median_curve,
    "iqm": interval_curve,
}


def _on_one_grid(runs: pd.DataFrame, ended_trials: frozenset[str]) -> _Carried:
    trials = [trial.sort_values(["x", "point"]) for _, trial in runs.groupby("trial")]
    # Before its first point a trial has no value, and a median over the few that have begun would
    # jump as the others join: the curve starts where all have begun. A trial that has ended keeps
    # its last value, otherwise the slow ones alone would decide the median. A trial that still runs
    # counts up to its last point, and n says how many count.
    start = max(trial["x"].iloc[0] for trial in trials)
    grid = np.unique(runs["x"].to_numpy())
    grid = grid[grid >= start]
    values = np.stack(
        [_carry_forward(trial, grid, trial["trial"].iloc[0] in ended_trials) for trial in trials]
    )
    return _Carried(trials, grid, values, np.isin(grid, _marker_times(runs)))


def _fewer(carried: _Carried) -> _Carried:
    """About ``MOST_INTERVALS`` times of the grid: ends, markers and changes of n stay."""
    values = np.nan_to_num(carried.values, nan=-1.0)
    changes = np.append(True, (np.diff(values, axis=1) != 0).any(axis=0))
    n = np.isfinite(carried.values).sum(axis=0)
    falls = np.append(False, np.diff(n) != 0)
    fixed = carried.marker | falls | np.append(falls[1:], False)
    fixed[[0, -1]] = True
    places = np.flatnonzero(changes)
    if len(places) > MOST_INTERVALS:
        places = places[np.linspace(0, len(places) - 1, MOST_INTERVALS).round().astype(np.intp)]
    kept = np.union1d(places, np.flatnonzero(fixed))
    return _Carried(
        carried.trials, carried.grid[kept], carried.values[:, kept], carried.marker[kept]
    )


def _curve(
    band: Band, carried: _Carried, value: np.ndarray, low: np.ndarray, high: np.ndarray
) -> pd.DataFrame:
    n = np.isfinite(carried.values).sum(axis=0)
    columns = (carried.grid, value, low, high, n, carried.marker)
    return pd.DataFrame(dict(zip(curve_columns(band), columns, strict=True)))


def _no_curve(columns: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})


def quartiles(values: np.ndarray) -> np.ndarray:
    """Lower quartile, median and upper quartile of each column, NaN left out: (n, m) -> (3, m).

    A column has one number at least. The same as np.nanquantile, which calls a function for each
    column and takes half a minute for a run of 100,000 points.
    """
    ordered = np.sort(values, axis=0)  # NaN comes last
    counts = np.isfinite(values).sum(axis=0)
    found = np.empty((3, values.shape[1]))
    for count in np.unique(counts):
        columns = counts == count
        found[:, columns] = np.quantile(ordered[:count, columns], [0.25, 0.5, 0.75], axis=0)
    return found


def _carry_forward(trial: pd.DataFrame, grid: np.ndarray, has_ended: bool) -> np.ndarray:
    """A trial's test metric on a grid that starts at its first point or later: (grid,)."""
    x = trial["x"].to_numpy()
    value: np.ndarray = trial["test"].to_numpy()[np.searchsorted(x, grid, side="right") - 1]
    return value if has_ended else np.where(grid <= x[-1], value, np.nan)


def _marker_times(runs: pd.DataFrame) -> np.ndarray:
    """The event times that get a marker, (markers,): of the chosen points, and the last of all."""
    reached = runs.groupby("point")["x"].max()  # by all trials that have the point
    if len(reached) > ALL_MARKED:
        doubling = [2**power for power in range(int(reached.index.max()).bit_length())]
        reached = reached[reached.index.isin(doubling)]
    return np.append(reached.to_numpy(), runs["x"].max())


def curves(
    results: Results, axis: str, *, include_shared: bool = False, band: str = "quartiles"
) -> pd.DataFrame:
    """The curve of every method on every task along one axis.

    Returns ``task``, ``method`` and the ``curve_columns`` of one of ``BANDS``, one row per event
    time. On an hour axis a trial that shared its GPU at any point is left out as a whole, since its
    hours are cumulative, unless ``include_shared``. Points of which x is not known are left out.
    UserError: an unknown axis or band.
    """
    if band not in BANDS:
        raise unknown("band", band, BANDS)
    if axis not in AXES:
        raise unknown("axis", axis, AXES)
    points = results.points[results.points[axis].notna()]
    if not include_shared:
        points = points[~points["trial"].isin(shared_trials(results, axis))]
    has_ended = frozenset(results.trials.loc[ended(results.trials), "trial"])
    curve = CURVES[band]
    parts = [
        curve(runs, has_ended).assign(task=str(task), method=str(method))
        for (task, method), runs in best_so_far(points, axis).groupby(["task", "method"])
    ]
    columns = curve_columns(BANDS[band])
    empty = {"task": pd.Series(dtype="str"), "method": pd.Series(dtype="str")}
    table = pd.concat(parts) if parts else _no_curve(columns).assign(**empty)
    return table[["task", "method", *columns]].reset_index(drop=True)


def shared_trials(results: Results, axis: str) -> list[str]:
    """The ids of the trials whose values on this axis are wrong, since they shared a GPU.

    Only hours can be wrong; there are none on other axes.
    """
    if not axis.startswith("hours"):
        return []
    return sorted(results.points.loc[results.points["shared"], "trial"].unique())


def busy_shares(points: pd.DataFrame) -> "pd.Series[float]":
    """``busy`` of the last point of each trial, that is over all that it was charged: (trials,).

    Indexed by trial; NaN where it is not known.
    """
    return points.sort_values("point").groupby("trial")["busy"].last()


def contended_trials(results: Results, axis: str) -> list[str]:
    """The ids of the trials whose processor did something else for over a tenth of their time.

    Their hours are too long. There are none on axes other than hours.
    """
    if not axis.startswith("hours"):
        return []
    shares = busy_shares(results.points)
    return sorted(shares.index[shares < LEAST_BUSY])

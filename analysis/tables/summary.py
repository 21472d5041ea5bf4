"""The table of scores: the final metric with its interval, and how fast a method gets there."""

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augbench.analysis.statistics.aggregate import optimality_gap
from augbench.analysis.statistics.anytime import normalised_area
from augbench.analysis.statistics.bootstrap import stratified_bootstrap
from augbench.analysis.statistics.result import IntervalEstimate
from augbench.analysis.statistics.time_to_target import TimeToTarget, median_time, time_to_target
from augbench.analysis.tables.curves import best_so_far, shared_trials
from augbench.analysis.tables.frame import Results, ended
from augbench.analysis.tables.gains import all_references, final_test_scores

SEED = 0  # of the resampling: the same results give the same intervals
SUMMARY_COLUMNS = {
    "task": "str",
    "method": "str",  # the label
    "iqm": "float64",  # interquartile mean of the final test metric; NaN without a run
    "low": "float64",  # its 95 % interval; NaN where `why` says why
    "high": "float64",
    "area": "float64",  # interquartile mean of the normalised areas under the curves of the runs
    "area_low": "float64",  # its 95 % interval; NaN where there are too few folds
    "area_high": "float64",
    "budget": "float64",  # up to where the areas go, along the axis
    "target": "float64",  # in the validation metric; NaN where no reference has a run
    "time_to_target": "float64",  # median, infinite ones included; along the axis
    "test_at_target": "float64",  # median test metric at that time, of the runs that reach it
    "reached": "int64",  # runs that reach the target, of `timed`
    "timed": "int64",
    "optimality_gap": "float64",  # by how much the final test metric misses 1
    "n": "int64",  # runs behind the final metric
    "planned": "int64",
    "why": "str",  # why there is no interval; "" where there is one
}


def summary_scores(
    results: Results,
    *,
    axis: str = "hours_full",
    targets: Mapping[str, float] | None = None,
    budgets: Mapping[str, float] | None = None,
    include_shared: bool = False,
) -> pd.DataFrame:
    """One row per task and planned method, in the order of their names: ``SUMMARY_COLUMNS``.

    A run is a trial that has ended and has a point. ``area`` is that under its curve from 0 to the
    budget, over the budget: nothing before its first point, and its last value from its end on, for
    it keeps what it has found. ``budgets`` gives by task the right end, by default that of the
    longest run; ``targets`` the validation metric to reach, by default ``validation_targets``. A
    failed trial that has not reached it never does; one that has not ended has no time yet. On an
    hour axis trials that shared a GPU have neither area nor time, unless ``include_shared``.
    ``pivot`` the table to tasks x methods for tests and profiles over tasks.
    UserError: an unknown axis.
    """
    curves = best_so_far(results.points, axis)
    spoilt = [] if include_shared else shared_trials(results, axis)
    curves = curves[~curves["trial"].isin(spoilt)]
    finals = final_test_scores(results)
    goals = validation_targets(results) if targets is None else targets
    longest = curves[curves["trial"].isin(finals["trial"])].groupby("task")["x"].max()
    by_trial = {str(trial): curve for trial, curve in curves.groupby("trial")}
    nothing = curves.iloc[:0]
    rows = []
    for (task, method), trials in results.trials.groupby(["task", "method"]):
        own = finals[finals["trial"].isin(trials["trial"])]
        timed = trials[ended(trials) | (trials["state"] == "failed")]
        timed = timed[~timed["trial"].isin(spoilt)]
        goal = goals.get(str(task), nan)
        budget = (budgets or {}).get(str(task), float(longest.get(task, nan)))
        areas = [_area(by_trial.get(trial, nothing), budget) for trial in own["trial"]]
        area = _estimate(own.assign(area=areas), "area")
        times = [_time(by_trial.get(trial, nothing), goal) for trial in timed["trial"]]
        rows.append(
            {"task": task, "method": method, "planned": len(trials), "timed": len(timed)}
            | {"area": area.value, "area_low": area.low, "area_high": area.high, "budget": budget}
            | {"target": goal, **_final(own), **_times(times, goal)}
        )
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS)).astype(SUMMARY_COLUMNS)


def validation_targets(results: Results) -> dict[str, float]:
    """By task: the validation metric that the best reference ends with, median over its runs.

    References are those of ``gains.all_references``; a task without a run of any is absent.
    Source: Dahl et al. 2023 (AlgoPerf), whose targets are those of the best standard method.
    """
    finals = final_test_scores(results)
    references = finals["method"].isin(all_references(results, results.trials["method"]))
    medians = finals[references].groupby(["task", "method"])["valid"].median()
    return {str(task): float(best) for task, best in medians.groupby("task").max().items()}


def _final(runs: pd.DataFrame) -> dict[str, object]:
    """The columns of the final test metric, of the runs of one method on one task."""
    estimate = _estimate(runs, "test")
    return {
        "iqm": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "optimality_gap": float(optimality_gap(runs["test"].to_numpy(dtype=np.float64))),
        "n": estimate.n,
        "why": estimate.reason,
    }


def _estimate(runs: pd.DataFrame, column: str) -> IntervalEstimate:
    """The interquartile mean of a column with its interval, of the runs of a method on a task."""
    folds, fold = np.unique(runs["fold"].to_numpy(), return_inverse=True)
    seeds, seed = np.unique(runs["seed"].to_numpy(), return_inverse=True)
    by_fold = np.full((len(folds), len(seeds)), nan)
    by_fold[fold, seed] = runs[column]
    # Each row draws from the start of the same stream, so that no row depends on the others.
    return stratified_bootstrap([by_fold], np.random.default_rng(SEED))


def _area(curve: pd.DataFrame, budget: float) -> float:
    """NaN for a run without a curve on this axis."""
    if curve.empty:
        return nan
    x, test = _columns(curve, "x", "test")
    x, test = np.append(x, max(budget, x[-1])), np.append(test, test[-1])
    return normalised_area(x, test, start=0.0, end=budget)


def _time(curve: pd.DataFrame, target: float) -> TimeToTarget:
    x, valid, test = _columns(curve, "x", "valid", "test")
    return time_to_target(x, valid, test, target)


def _times(runs: list[TimeToTarget], target: float) -> dict[str, object]:
    """The columns of the times to a target; without a target there are none."""
    times = np.array([run.time for run in runs], dtype=np.float64)
    reached = np.isfinite(times)
    tests = [run.test for run in runs if np.isfinite(run.time)]
    return {
        "time_to_target": nan if np.isnan(target) else median_time(times),
        "test_at_target": float(np.median(tests)) if tests else nan,
        "reached": int(reached.sum()),
    }


def _columns(curve: pd.DataFrame, *names: str) -> list[NDArray[np.float64]]:
    return [curve[name].to_numpy(dtype=np.float64) for name in names]

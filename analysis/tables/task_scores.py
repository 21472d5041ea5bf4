"""The final test scores of a run as tests over tasks need them, task by task."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augbench.analysis.statistics.aggregate import interquartile_mean
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.gains import final_test_scores
from augbench.analysis.tables.panels import REFERENCES, own_devices
from augbench.analysis.tables.scores import reference_labels

DIGITS = 12  # of a score; scores that are alike so far are a tie


def task_scores(results: Results) -> dict[str, pd.DataFrame]:
    """By task the final test metric: a row for each (fold, seed), a column for each planned method.

    NaN where a run is missing, or failed and is not imputed.
    """
    finals = final_test_scores(results).set_index("trial")["test"]
    ids = results.trials["trial"]
    scores = ids.map(finals.to_dict()).astype("float64")
    imputed = ids.map(dict(results.imputed)).astype("float64")
    trials = results.trials.assign(test=scores.where(imputed.isna(), imputed))
    return {
        str(task): of_task.pivot(index=["fold", "seed"], columns="method", values="test")
        for task, of_task in trials.groupby("task")
    }


def shared_scores(scores: pd.DataFrame, methods: Iterable[str]) -> NDArray[np.float64]:
    """The runs of a task that all these methods have: (runs, methods), none if one is not planned.

    So like is compared with like while other runs are missing.
    """
    methods = list(methods)
    if not methods or not set(methods) <= set(scores):
        return np.empty((0, len(methods)))
    columns = [scores[method].to_numpy(dtype=np.float64) for method in methods]
    table: NDArray[np.float64] = np.stack(columns, axis=1)
    shared: NDArray[np.float64] = table[~np.isnan(table).any(axis=1)]
    return shared


def task_means(runs: NDArray[np.float64]) -> NDArray[np.float64]:
    """(runs, methods) -> (methods,): interquartile means, without the noise of rounding."""
    return np.round(interquartile_mean(runs.T), DIGITS)


def first_references(results: Results) -> list[str]:
    """Of each of ``REFERENCES`` that the run has, its first label, in that order."""
    labels = results.trials["method"]
    found = (reference_labels(results, labels, method)[:1] for method in REFERENCES)
    return [label for of_method in found for label in of_method]


def comparable_times(results: Results, summary: pd.DataFrame) -> pd.DataFrame:
    """The median times to the target of a ``summary_scores``, a row for each task: hours.

    A column for each method, infinite where it does not get there, NaN where this is not known
    yet. Tasks without a target are left out, and those
    whose hours are of several devices.
    """
    mixed = mixed_devices(results)
    timed = summary[~summary["task"].isin(mixed)].dropna(subset=["target", "budget"])
    return timed.pivot(index="task", columns="method", values="time_to_target")


def budgets(summary: pd.DataFrame) -> dict[str, float]:
    """By task the hours of its longest run."""
    longest = summary.groupby("task")["budget"].first()
    return {str(task): float(hours) for task, hours in longest.items()}


def mixed_devices(results: Results) -> list[str]:
    """The tasks whose hours do not compare, since they are of several devices."""
    by_task = results.points.groupby("task")
    return [str(task) for task, points in by_task if own_devices(points)]

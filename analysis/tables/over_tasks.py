"""Scores over all tasks of a run: one table of methods, one of methods against references."""

from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augbench.analysis.statistics.aggregate import optimality_gap, probability_of_improvement
from augbench.analysis.statistics.bootstrap import stratified_bootstrap
from augbench.analysis.statistics.paired import holm, paired_differences, wilcoxon
from augbench.analysis.statistics.performance_profile import performance_ratios, profile_score
from augbench.analysis.statistics.time_to_target import geometric_mean_speedup
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.ranks import Ranking, rank_methods
from augbench.analysis.tables.summary import SEED, summary_scores
from augbench.analysis.tables.task_scores import (
    budgets,
    comparable_times,
    first_references,
    shared_scores,
    task_means,
    task_scores,
)

OVERALL_COLUMNS = {
    "method": "str",  # the label
    "rank": "float64",  # mean over tasks, 1 is the best; NaN for what is not ranked
    "iqm": "float64",  # interquartile mean of all runs; NaN where a task has no run of the method
    "low": "float64",  # its 95 % interval; NaN where `why` says why
    "high": "float64",
    "optimality_gap": "float64",  # by how much the runs miss 1 on average
    "rescaled": "bool",  # whether 0 is chance level in these scores; else they are the metric
    "time_score": "float64",  # share of tasks, by how close to the fastest; see `profile_score`
    "reached": "int64",  # tasks whose target the median run reaches, of `timed`
    "timed": "int64",
    "tasks": "int64",  # with a run of the method, of all tasks of the run
    "all_tasks": "int64",
    "n": "int64",  # runs with a score
    "planned": "int64",
    "imputed": "int64",  # of the n: failed runs that count as runs at chance level
    "why": "str",  # why there is no interval; "" where there is one
}
REFERENCE_COLUMNS = {
    "method": "str",
    "reference": "str",
    "wins": "int64",  # tasks on which the method has the higher interquartile mean
    "ties": "int64",
    "losses": "int64",
    "tasks": "int64",  # on which both have a run of one fold and seed
    "planned": "int64",  # tasks on which both are planned
    "difference": "float64",  # in the test metric over tasks: the Hodges-Lehmann estimate
    "statistic": "float64",  # of the signed-rank test; NaN where `why` says why
    "p": "float64",
    "p_holm": "float64",  # p, adjusted for all methods that are held against this reference
    "improvement": "float64",  # chance that a run of the method beats one of the reference
    "speedup": "float64",  # by what factor it reaches the target sooner, geometric mean over tasks
    "speedup_tasks": "int64",
    "imputed": "int64",  # failed runs of both that count as runs at chance level
    "why": "str",  # why there is no p; "" where there is one
}


def overall_table(
    results: Results, *, summary: pd.DataFrame | None = None, ranking: Ranking | None = None
) -> pd.DataFrame:
    """One row per planned method, in the order of their names: ``OVERALL_COLUMNS``.

    Runs are those of all tasks, with a bootstrap interval over folds within tasks. Where the chance
    level of every task is known, scores are rescaled so that 0 is chance and 1 is perfect, since
    otherwise tasks with few classes would weigh less. ``time_score`` is the mean height of a
    profile between the fastest method and four times its time, of tasks with a target; NaN while a
    time is not known. ``summary`` is a ``summary_scores`` in hours, ``ranking`` that of the run.
    """
    scores = task_scores(results)
    summary = summary_scores(results) if summary is None else summary
    ranking = rank_methods(results) if ranking is None else ranking
    ranks = dict(zip(ranking.methods, ranking.result.ranks, strict=True))
    chance = known_chance(results)
    times = comparable_times(results, summary)
    speeds = _time_scores(times)
    rows = []
    for method, trials in results.trials.groupby("method"):
        own = {
            task: _rescaled(_runs(table, str(method)), chance.get(task, 0.0))
            for task, table in scores.items()
        }
        of_method = times[method].dropna() if method in times else pd.Series(dtype="float64")
        rows.append(
            {"method": method, "rank": ranks.get(str(method), nan), "rescaled": bool(chance)}
            | _aggregates([*own.values()])
            | {"time_score": speeds.get(str(method), nan), "all_tasks": len(scores)}
            | {"reached": int(np.isfinite(of_method).sum()), "timed": len(of_method)}
            | {"planned": len(trials), "imputed": _n_imputed(results, str(method))}
        )
    return pd.DataFrame(rows, columns=list(OVERALL_COLUMNS)).astype(OVERALL_COLUMNS)


def known_chance(results: Results) -> dict[str, float]:
    """By task the chance level, if it is known for all tasks of the run and is below 1."""
    levels = {str(task): results.chance.get(task, nan) for task in results.trials["task"].unique()}
    return levels if all(level < 1 for level in levels.values()) else {}


def _runs(table: pd.DataFrame, method: str) -> NDArray[np.float64]:
    """(folds, seeds) of a method on one task, NaN where a run is missing."""
    if method not in table:
        return np.full((1, 1), nan)
    runs: NDArray[np.float64] = table[method].unstack("seed").to_numpy(dtype=np.float64)
    return runs


def _rescaled(runs: NDArray[np.float64], chance: float) -> NDArray[np.float64]:
    return (runs - chance) / (1 - chance)


def _aggregates(tasks: list[NDArray[np.float64]]) -> dict[str, object]:
    """The columns of the final scores of one method, (folds, seeds) of each task."""
    # Each row draws from the start of the same stream, so that no row depends on the others.
    estimate = stratified_bootstrap(tasks, np.random.default_rng(SEED))
    every = np.concatenate([runs.ravel() for runs in tasks])
    gap = nan if np.isnan(estimate.value) else float(optimality_gap(every))
    return {
        "iqm": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "optimality_gap": gap,
        "tasks": sum(bool((~np.isnan(runs)).any()) for runs in tasks),
        "n": estimate.n,
        "why": estimate.reason,
    }


def _time_scores(times: pd.DataFrame) -> dict[str, float]:
    """By method the ``profile_score`` of its times; not for one whose times are not all known."""
    if times.empty:
        return {}
    hours = times.to_numpy(dtype=np.float64)  # (tasks, methods)
    scores = profile_score(performance_ratios(hours))
    rows = zip(times, scores, hours.T, strict=True)
    return {str(method): float(score) for method, score, own in rows if not np.isnan(own).any()}


def _n_imputed(results: Results, *methods: str) -> int:
    own = results.trials.loc[results.trials["method"].isin(methods), "trial"]
    return int(own.isin(list(results.imputed)).sum())


def reference_table(results: Results, *, summary: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per method and reference, in the order of methods: ``REFERENCE_COLUMNS``.

    References are ``first_references``; they are held against each other too. Of a task only the
    (fold, seed) count that both have. The test is Wilcoxon's over the interquartile means of tasks;
    the chance of an improvement is the mean over tasks of that of Mann and Whitney. A speed-up is
    of tasks on which both times to the target are known; where one does not get there it counts as
    the budget and a second, and two that do not get there are equally fast. ``summary`` is a
    ``summary_scores`` in hours.
    """
    scores = task_scores(results)
    summary = summary_scores(results) if summary is None else summary
    times, longest = comparable_times(results, summary), budgets(summary)
    rows = []
    for method in sorted(results.trials["method"].unique()):
        for reference in first_references(results):
            if reference == method:
                continue
            pair = (str(method), reference)
            both = [table for table in scores.values() if set(pair) <= set(table)]
            row = {"method": method, "reference": reference, "p_holm": nan, "planned": len(both)}
            row |= _held_against([shared_scores(table, pair) for table in both])
            row |= _speedup(times, longest, *pair)
            rows.append(row | {"imputed": _n_imputed(results, *pair)})
    table = pd.DataFrame(rows, columns=list(REFERENCE_COLUMNS)).astype(REFERENCE_COLUMNS)
    adjusted = table.groupby("reference")["p"].transform(lambda p: holm(p.to_numpy()))
    return table.assign(p_holm=adjusted.astype("float64"))


def _held_against(tasks: list[NDArray[np.float64]]) -> dict[str, object]:
    """The columns of the final scores of a pair: (runs, 2) of each task, the reference last."""
    shared = [runs for runs in tasks if len(runs)]
    means = np.array([task_means(runs) for runs in shared]).reshape(-1, 2)
    x, y = means.T
    differences, test = paired_differences(x, y), wilcoxon(x, y)
    own, other = ([runs[:, column] for runs in shared] for column in (0, 1))
    return {
        "wins": int((differences > 0).sum()),
        "ties": int((differences == 0).sum()),
        "losses": int((differences < 0).sum()),
        "tasks": len(shared),
        "difference": _hodges_lehmann(differences),
        "statistic": test.statistic,
        "p": test.p,
        "improvement": probability_of_improvement(own, other),
        "why": test.reason,
    }


def _hodges_lehmann(differences: NDArray[np.float64]) -> float:
    """The median of the means of all pairs, each with itself too; NaN without a difference.

    It belongs to the signed-rank test as a mean does to a t-test. Source: Hodges and Lehmann 1963.
    """
    one, other = np.triu_indices(len(differences))
    means = (differences[one] + differences[other]) / 2
    return float(np.median(means)) if len(means) else nan


def _speedup(
    times: pd.DataFrame, longest: dict[str, float], method: str, reference: str
) -> dict[str, object]:
    if not {method, reference} <= set(times):
        return {"speedup": nan, "speedup_tasks": 0}
    both = times[[method, reference]].dropna()
    both = both[(both > 0).all(axis=1)]  # there is no ratio to a time below the clock's resolution
    own, other = both.to_numpy(dtype=np.float64).T
    ends = np.array([longest[str(task)] for task in both.index], dtype=np.float64)
    return {"speedup": geometric_mean_speedup(own, other, ends), "speedup_tasks": len(both)}

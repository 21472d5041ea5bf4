"""Several methods on several tasks: mean ranks, Friedman's test, and a critical difference."""

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from augbench.analysis.statistics.paired import ALPHA, least_tasks
from augbench.analysis.statistics.result import SignificanceResult, not_tested, too_few

LEAST_METHODS = 3  # two are compared by a signed-rank test


class FriedmanResult(NamedTuple):
    """Three forms of one test, so that a report can name the one that it prints."""

    ranks: NDArray[np.float64]  # (methods,), mean over tasks; 1 is the best
    iman_davenport: SignificanceResult  # F of the chi-square below: the one to print
    chi_square: SignificanceResult  # Friedman's own; as if there were no ties
    tie_corrected: SignificanceResult  # chi-square with the ties counted, as scipy has it


def mean_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tasks, methods) -> (methods,): 1 is the largest value of a task, ties share their ranks.

    For times, where less is better, give them with a minus. Tasks with a NaN are left out; without
    any other task all ranks are NaN.
    """
    complete = _complete(scores)
    if not len(complete):
        return np.full(complete.shape[1], nan)
    ranks: NDArray[np.float64] = stats.rankdata(-complete, axis=1).mean(axis=0)
    return ranks


def friedman_test(scores: NDArray[np.float64], alpha: float = ALPHA) -> FriedmanResult:
    """Are the methods of (tasks, methods) of equal rank? Tasks with a NaN are left out.

    There is no result below 3 methods or ``least_tasks(alpha)`` tasks.
    Source: Friedman 1937; Iman and Davenport 1980; Demsar 2006, section 3.2.2.
    """
    complete = _complete(scores)
    n, k = complete.shape
    ranks = mean_ranks(complete)
    reason = _too_small(n, k, alpha)
    if reason:
        return FriedmanResult(ranks, *[not_tested(n, reason)] * 3)
    spread = float(np.square(ranks).sum()) - k * (k + 1) ** 2 / 4
    chi_square = max(0.0, 12 * n / (k * (k + 1)) * spread)
    rest = n * (k - 1) - chi_square  # 0 where all tasks agree
    f = (n - 1) * chi_square / rest if rest > 1e-9 else np.inf
    return FriedmanResult(
        ranks,
        SignificanceResult(f, float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))), n),
        SignificanceResult(chi_square, float(stats.chi2.sf(chi_square, k - 1)), n),
        _tie_corrected(complete, chi_square),
    )


def _tie_corrected(scores: NDArray[np.float64], chi_square: float) -> SignificanceResult:
    n, k = scores.shape
    counts = (np.unique(row, return_counts=True)[1] for row in scores)
    tied = sum(float((count**3 - count).sum()) for count in counts)
    share = 1 - tied / (n * k * (k * k - 1))
    if share <= 0:
        return not_tested(n, "the methods are equal on every task")
    corrected = chi_square / share
    return SignificanceResult(corrected, float(stats.chi2.sf(corrected, k - 1)), n)


def critical_difference(n_methods: int, n_tasks: int, alpha: float = ALPHA) -> float:
    """By how much two mean ranks have to differ in Nemenyi's test of all pairs.

    Source: Nemenyi 1963; Demsar 2006, section 3.2.2.
    """
    q = float(stats.studentized_range.isf(alpha, n_methods, np.inf)) / sqrt(2)
    return q * sqrt(n_methods * (n_methods + 1) / (6 * n_tasks))


def nemenyi_test(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """p of each pair of methods, (tasks, methods) -> (methods, methods), adjusted for all pairs.

    1 on the diagonal. Tasks with a NaN are left out. A mean rank depends on all methods that are
    ranked: prefer ``pairwise_wilcoxon``. All NaN where ``friedman_test`` has no result.
    """
    complete = _complete(scores)
    n, k = complete.shape
    if _too_small(n, k, ALPHA):
        return np.full((k, k), nan)
    ranks = mean_ranks(complete)
    distance = np.abs(ranks[:, None] - ranks) / sqrt(k * (k + 1) / (6 * n))
    p: NDArray[np.float64] = stats.studentized_range.sf(distance * sqrt(2), k, np.inf)
    return np.where(np.eye(k, dtype=bool), 1.0, np.clip(p, 0.0, 1.0))


def cliques(ranks: NDArray[np.float64], differs: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Groups of methods for the bars of a critical-difference diagram, by rank.

    ``ranks`` (methods,) and ``differs`` (methods, methods), which pairs can be told apart. A group
    holds at least 2 methods next to each other in rank of which no pair differs, and is part of no
    other group.
    """
    order = np.argsort(ranks, kind="stable")
    groups: list[NDArray[np.int64]] = []
    last = 0  # one behind the group before
    for first in range(len(order)):
        end = first + 1
        while end < len(order) and not differs[order[end], order[first:end]].any():
            end += 1
        if end - first > 1 and end > last:
            groups.append(order[first:end])
            last = end
    return groups


def _complete(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    scores = np.asarray(scores, dtype=np.float64)
    return scores[~np.isnan(scores).any(axis=1)]


def _too_small(n_tasks: int, n_methods: int, alpha: float) -> str:
    """Why there is no test, or ""."""
    if n_methods < LEAST_METHODS:
        return too_few("methods", n_methods, LEAST_METHODS)
    needed = least_tasks(alpha)
    return too_few("tasks", n_tasks, needed) if n_tasks < needed else ""

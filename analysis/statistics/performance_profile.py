"""Profiles: the share of tasks within a factor of the fastest, of runs with at least a score."""

import numpy as np
from numpy.typing import NDArray

LARGEST_RATIO = 4.0  # up to which a score counts


def performance_ratios(
    times: NDArray[np.float64], references: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """(tasks, methods) -> (tasks, methods): each time over the least of its task.

    The least is that of the columns ``references`` where they are given, so that a ratio does not
    change as other methods join. A time that is infinite or NaN (a cell that is missing) is a
    target never reached, and its ratio is infinite, also where no method reaches it.
    Source: Dolan and More 2002, section 2.
    """
    times = np.where(np.isnan(times), np.inf, times)
    pool = times if references is None else times[:, references]
    least = pool.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(times == least, 1.0, times / least)  # of two zeros too
    return np.where(np.isinf(times), np.inf, ratios)


def performance_profile(
    ratios: NDArray[np.float64], factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(tasks, methods), (factors,) -> (factors, methods): share of tasks with a ratio up to each.

    A task whose target no method reaches stays among the tasks.
    """
    shares: NDArray[np.float64] = (ratios <= factors[:, None, None]).mean(axis=1)
    return shares


def profile_score(
    ratios: NDArray[np.float64], largest: float = LARGEST_RATIO
) -> NDArray[np.float64]:
    """(tasks, methods) -> (methods,): mean height of the profile between the factors 1 and largest.

    Exact, without a grid: a step at ratio r holds from r on. 1 for a method that is the fastest
    everywhere, 0 for one that is never within ``largest``.
    Source: Dahl et al. 2023, Benchmarking Neural Network Training Algorithms (AlgoPerf).
    """
    held = np.clip(largest - ratios, 0.0, largest - 1)  # a ratio to references may be below 1
    score: NDArray[np.float64] = held.mean(axis=0) / (largest - 1)
    return score


def unreached(times: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(tasks, methods) -> (tasks,): whose target no method reaches; a report lists them."""
    return np.logical_not(np.isfinite(times).any(axis=1))


def score_profile(
    scores: NDArray[np.float64], thresholds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(runs,), (thresholds,) -> (thresholds,): share of runs whose score is at least each.

    NaN is a run without a score and is not counted; without any other all shares are NaN.
    Source: Agarwal et al. 2021, section 4.2, who count the runs above each.
    """
    known = np.sort(scores[~np.isnan(scores)])
    if not len(known):
        return np.full(len(thresholds), np.nan)
    share: NDArray[np.float64] = 1 - np.searchsorted(known, thresholds, side="left") / len(known)
    return share

"""One number for many runs; missing runs are NaN."""

from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def interquartile_mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., runs) -> (...,): the mean without the lowest and the highest quarter of the runs.

    Of each end a quarter is cut, rounded down: nothing of 3 runs, one of 4 to 7. NaN without a run.
    Source: Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical
    Precipice, section 4.3.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)  # NaN is last
    n = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)  # (..., 1)
    cut = n // 4
    place = np.arange(ordered.shape[-1])
    inner = (place >= cut) & (place < n - cut)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN
        mean: NDArray[np.float64] = np.where(inner, ordered, 0.0).sum(axis=-1) / inner.sum(axis=-1)
    return mean


def optimality_gap(values: NDArray[np.float64], optimum: float = 1.0) -> NDArray[np.float64]:
    """(..., runs) -> (...,): by how much runs miss ``optimum`` on average; more counts as that.

    NaN without a run. Source: Agarwal et al. 2021, section 4.3.
    """
    values = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    missed = np.where(known, optimum - np.minimum(values, optimum), 0.0)
    with np.errstate(invalid="ignore"):
        gap: NDArray[np.float64] = missed.sum(axis=-1) / known.sum(axis=-1)
    return gap


def probability_of_improvement(
    x: Sequence[NDArray[np.float64]], y: Sequence[NDArray[np.float64]]
) -> float:
    """Chance that a run of method x beats one of y, mean over tasks; ties count half.

    ``x`` and ``y`` have the runs of each task, (runs,), as many as there are. NaN where a method
    has no run on one of the tasks.
    Source: Agarwal et al. 2021, section 4.3; Mann and Whitney 1947.
    """
    shares = [_share_above(*pair) for pair in zip(x, y, strict=True)]
    return float(np.mean(shares)) if shares else nan


def _share_above(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    x, y = (values[~np.isnan(values)] for values in (np.ravel(x), np.ravel(y)))
    if not (len(x) and len(y)):
        return nan
    rank_sum = float(stats.rankdata(np.concatenate([x, y]))[: len(x)].sum())
    return (rank_sum - len(x) * (len(x) + 1) / 2) / (len(x) * len(y))

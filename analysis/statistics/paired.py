"""Tests of two methods on the same folds or tasks, and Holm's correction for many of them."""

from itertools import combinations
from math import ceil, log2, nan, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from augbench.analysis.statistics.result import (
    IntervalEstimate,
    SignificanceResult,
    not_tested,
    too_few,
)

ALPHA = 0.05  # level of a test
CONFIDENCE_LEVEL = 0.95  # of an interval
LEAST_FOLDS = 2  # one difference has no spread
DIGITS = 12  # of the largest value; differences that are alike so far are equal

PAIRWISE_COLUMNS = ("method", "other", "n", "statistic", "p", "p_holm", "why")


def corrected_t_test(
    x: NDArray[np.float64], y: NDArray[np.float64], test_train_ratio: float
) -> SignificanceResult:
    """Paired t-test of (folds,) and (folds,), corrected for training sets that overlap.

    ``test_train_ratio`` is the number of test examples over that of training examples, 1 / (K - 1)
    in K folds; 0 gives the common paired t-test. Folds with a NaN are left out. There is no result
    below 2 folds, nor where all differences are equal or one is infinite.
    Source: Nadeau and Bengio 2003, Inference for the Generalization Error.
    """
    moments = _moments(paired_differences(x, y), test_train_ratio)
    if moments.reason:
        return not_tested(moments.n, moments.reason)
    t = moments.mean / moments.error
    return SignificanceResult(t, float(2 * stats.t.sf(abs(t), moments.n - 1)), moments.n)


def corrected_t_interval(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    test_train_ratio: float,
    confidence_level: float = CONFIDENCE_LEVEL,
) -> IntervalEstimate:
    """Mean difference of (folds,) and (folds,) with the interval that ``corrected_t_test`` inverts.

    It leaves out 0 exactly where the p of that test is below ``1 - confidence_level``.
    """
    moments = _moments(paired_differences(x, y), test_train_ratio)
    if moments.reason:
        return IntervalEstimate(moments.mean, nan, nan, moments.n, moments.reason)
    half = moments.error * float(stats.t.isf((1 - confidence_level) / 2, moments.n - 1))
    return IntervalEstimate(moments.mean, moments.mean - half, moments.mean + half, moments.n)


def paired_differences(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """x - y without pairs that hold a NaN: (pairs,), without the noise of rounding.

    Two equal infinite values differ by 0.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = ~(np.isnan(x) | np.isnan(y))
    x, y = x[known], y[known]
    largest = np.max(np.abs([x, y]), initial=0.0, where=np.isfinite([x, y]))
    # 0.7 - 0.6 and 0.6 - 0.5 must be a tie.
    scale = 10.0 ** ceil(np.log10(largest)) if largest else 1.0
    with np.errstate(invalid="ignore"):
        differences = np.where(x == y, 0.0, x - y)
    return np.round(differences / scale, DIGITS) * scale


class _Moments(NamedTuple):
    """Mean of the differences and its standard error, or why the latter is not known."""

    mean: float
    error: float
    n: int
    reason: str = ""


def _moments(differences: NDArray[np.float64], test_train_ratio: float) -> _Moments:
    n = len(differences)
    mean = float(differences.mean()) if n and np.isfinite(differences).all() else nan
    if n < LEAST_FOLDS:
        return _Moments(mean, nan, n, too_few("folds", n, LEAST_FOLDS))
    if np.isnan(mean):
        return _Moments(mean, nan, n, "a difference is infinite, so there is no mean")
    if not np.ptp(differences):
        return _Moments(mean, nan, n, f"all {n} differences are equal, so their spread is unknown")
    error = sqrt((1 / n + test_train_ratio) * differences.var(ddof=1))
    return _Moments(mean, error, n)


def least_tasks(alpha: float = ALPHA) -> int:
    """How many tasks a signed-rank test needs so that any result can be below ``alpha``.

    Its smallest p is 2 ** (1 - n): 6 tasks are needed at .05.
    """
    return ceil(1 - log2(alpha))


def wilcoxon(
    x: NDArray[np.float64], y: NDArray[np.float64], alpha: float = ALPHA
) -> SignificanceResult:
    """Exact signed-rank test of (tasks,) and (tasks,), with ties too.

    Tasks with a NaN, or with no difference, are left out. An infinite value is larger than all
    others, and two of one sign do not differ. ``statistic`` is the smaller of the two rank sums.
    There is no result below ``least_tasks(alpha)``.
    Source: Wilcoxon 1945; the null distribution is that of the signs, given the ranks.
    """
    differences = paired_differences(x, y)
    ties = int((differences == 0).sum())
    differences = differences[differences != 0]
    n = len(differences)
    if n < least_tasks(alpha):
        alike = f"; on {ties} more the methods are equal" if ties else ""
        return not_tested(n, too_few("tasks", n, least_tasks(alpha)) + alike)
    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(np.int64)  # whole, ties too
    positive, total = int(doubled[differences > 0].sum()), int(doubled.sum())
    smaller = min(positive, total - positive)
    p = min(1.0, 2 * float(_sign_distribution(doubled)[: smaller + 1].sum()))
    return SignificanceResult(smaller / 2, p, n)


def _sign_distribution(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probability of each sum of the ranks whose fair coin shows heads: (total + 1,)."""
    chance = np.zeros(int(ranks.sum()) + 1)
    chance[0] = 1.0
    for rank in ranks:
        chance[rank:] = (chance[rank:] + chance[:-rank]) / 2
        chance[:rank] /= 2
    return chance


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tests,) -> (tests,) adjusted by Holm's step-down method; NaN stays and is not counted.

    Source: Holm 1979.
    """
    p_values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full_like(p_values, nan)
    order = np.argsort(p_values)[: int((~np.isnan(p_values)).sum())]  # NaN is last
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def pairwise_wilcoxon(scores: pd.DataFrame, alpha: float = ALPHA) -> pd.DataFrame:
    """All pairs of columns of (tasks, methods), Holm over the pairs: one row each.

    Columns ``PAIRWISE_COLUMNS``; ``n`` counts the tasks on which the two differ, and ``why`` says
    why there is no p.
    Source: Benavoli, Corani and Mangili 2016, who prefer it to tests of mean ranks, which depend on
    all other methods.
    """
    rows = []
    for method, other in combinations(scores.columns, 2):
        test = wilcoxon(scores[method].to_numpy(), scores[other].to_numpy(), alpha)
        rows.append((method, other, test.n, test.statistic, test.p, nan, test.reason))
    table = pd.DataFrame(rows, columns=list(PAIRWISE_COLUMNS))
    return table.assign(p_holm=holm(table["p"].to_numpy(dtype=np.float64)))

"""Intervals for a handful of seeds, without a random number."""

from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A number with its interval, and the number of seeds behind it."""

    value: float
    low: float
    high: float
    n: int


def median_estimate(values: Iterable[float], level: float = LEVEL) -> Estimate:
    """The median, and the interval between two order statistics that holds it.

    Distribution-free, and wide enough for ``level``; with fewer seeds than that takes (6 for 95 %)
    it is the whole range. All NaN without any value.
    """
    ordered = np.sort(np.fromiter(values, dtype=np.float64))
    n = len(ordered)
    if not n:
        return Estimate(np.nan, np.nan, np.nan, 0)
    # P(the median lies below the k-th smallest) is that of fewer than k heads in n throws.
    k = max(int(stats.binom.ppf((1 - level) / 2, n, 0.5)), 1)
    return Estimate(float(np.median(ordered)), float(ordered[k - 1]), float(ordered[n - k]), n)


def share_estimate(count: int, n: int) -> Estimate:
    """A share of seeds with Wilson's 95 % interval; all NaN of none.

    Source: Wilson 1927; Brown, Cai and DasGupta 2001 on why.
    """
    if not n:
        return Estimate(np.nan, np.nan, np.nan, 0)
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    share, spread = count / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(share * (1 - share) / n + spread / (4 * n))
    low = centre - half if count else 0.0  # rounding would leave a hair
    return Estimate(share, low, centre + half if count < n else 1.0, n)

"""A curve as a step function: its value at any time, and the area under it."""

from math import nan

import numpy as np
from numpy.typing import NDArray


def carry_forward(
    x: NDArray[np.float64], values: NDArray[np.float64], grid: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The last value at or before each time of ``grid``: (points,), (points,), (grid,) -> (grid,).

    ``x`` does not fall; of points at one x the last counts. NaN before the first point and after
    the last one.
    """
    _check_order(x)
    if not len(x):
        return np.full(len(grid), nan)
    held = values[np.maximum(np.searchsorted(x, grid, side="right") - 1, 0)]
    return np.where((grid >= x[0]) & (grid <= x[-1]), held, nan)


def normalised_area(
    x: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    start: float | None = None,
    end: float | None = None,
) -> float:
    """Area under a curve between ``start`` and ``end``, over that width: (points,) twice -> number.

    ``x`` does not fall, and each value holds until the next point. By default the area is that from
    the first point to the last one, and so the mean height of the curve. A wider window adds
    nothing to the area: there is no value before the first point, and none after the last. So give
    equal windows to runs of unequal budgets. A window of no width has the value at its place; NaN
    without a point.
    """
    _check_order(x)
    if not len(x):
        return nan
    low = float(x[0]) if start is None else start
    high = float(x[-1]) if end is None else end
    assert low <= high, f"a window from {low} to {high}"
    if low == high:
        return float(carry_forward(x, values, np.array([low]))[0])
    widths = np.diff(np.clip(x, low, high))  # in which a value holds, within the window
    return float((values[:-1] * widths).sum() / (high - low))


def _check_order(x: NDArray[np.float64]) -> None:
    assert (np.diff(x) >= 0).all(), "the points of a curve are ordered by x"

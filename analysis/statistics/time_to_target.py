"""How long runs take to a target; infinite where they never get there."""

from math import exp, inf, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SECOND = 1 / 3600  # in hours


class TimeToTarget(NamedTuple):
    """When a run first reaches its target, and what it then scores on the test split."""

    time: float  # infinite where it never does
    test: float  # NaN where it never does


def time_to_target(
    x: NDArray[np.float64],
    valid: NDArray[np.float64],
    test: NDArray[np.float64],
    target: float,
) -> TimeToTarget:
    """The smallest ``x`` of a run's points, (points,) each in any order, with ``valid >= target``.

    ``x`` is a time or another cost. The test value is that of the best validation value by then
    (the smaller one on ties); it decides nothing. A point with a NaN counts as none, and a run
    without a point never arrives.
    Source: Dahl et al. 2023, Benchmarking Neural Network Training Algorithms (AlgoPerf).
    """
    reached = (valid >= target) & ~np.isnan(x)
    if not reached.any():
        return TimeToTarget(inf, nan)
    time = float(x[reached].min())
    here = reached & (x == time)  # several points may stand at one x
    best = here & (valid == valid[here].max())
    return TimeToTarget(time, float(test[best].min()))


def median_time(times: NDArray[np.float64]) -> float:
    """The median of (runs,) in which infinite times take part; NaN is a time that is not known.

    Infinite where the median lies between a finite and an infinite time, NaN without a time.
    """
    known = times[~np.isnan(times)]
    return float(np.median(known)) if len(known) else nan


def geometric_mean_speedup(
    times: NDArray[np.float64],
    reference: NDArray[np.float64],
    budgets: NDArray[np.float64],
    *,
    second: float = SECOND,
) -> float:
    """By what factor a method is faster than a reference, geometric mean over tasks.

    All (tasks,) in one unit, hours unless ``second`` says what a second is in it. A time that is
    never reached counts as its task's budget and a second. Tasks with a NaN are left out; NaN
    without any other.
    Source: Dahl et al. 2023 (AlgoPerf); the second is of its scoring code.
    """
    known = ~(np.isnan(times) | np.isnan(reference))
    if not known.any():
        return nan
    own, other = (np.where(np.isinf(t), budgets + second, t)[known] for t in (times, reference))
    return exp(float(np.mean(np.log(other) - np.log(own))))

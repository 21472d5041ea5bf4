"""What a test or an estimate gives: numbers, or one sentence on why there are none."""

from dataclasses import dataclass
from math import isnan, nan


@dataclass(frozen=True)
class SignificanceResult:
    """A two-sided test; ``statistic`` and ``p`` are NaN where ``reason`` says why."""

    statistic: float
    p: float
    n: int  # folds or tasks that the test used
    reason: str = ""  # "" where there is a p

    def __str__(self) -> str:
        return self.reason or p_text(self.p)


@dataclass(frozen=True)
class IntervalEstimate:
    """A number with its interval; ``low`` and ``high`` are NaN where ``reason`` says why."""

    value: float  # NaN where there is nothing to estimate it from
    low: float
    high: float
    n: int  # values behind it
    reason: str = ""  # "" where there is an interval

    def __str__(self) -> str:
        if isnan(self.value):
            return self.reason
        interval = f"({self.reason})" if self.reason else f"[{self.low:.3f}, {self.high:.3f}]"
        return f"{self.value:.3f} {interval}"


def not_tested(n: int, reason: str) -> SignificanceResult:
    """The result of a test that was not made."""
    return SignificanceResult(nan, nan, n, reason)


def too_few(what: str, n: int, needed: int) -> str:
    """The sentence for ``n`` folds, tasks or methods where ``needed`` are needed."""
    return f"too few {what}: {n} of {needed} needed"


def p_text(p: float) -> str:
    """A p-value as papers print it: "p = .031", "p < .001"."""
    if p < 0.001:
        return "p < .001"
    digits = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return f"p = {digits.removeprefix('0')}"

"""Hand-made tables of what layers have learned."""

from collections.abc import Callable, Mapping

import pandas as pd
import pytest

from augbench.analysis.paper.learned_curves import LEARNED_TABLE

Learn = Callable[..., pd.DataFrame]


def learned(
    method: str,
    final: Mapping[str, tuple[float, float, float]],  # by transform: weight, magnitude, value
    *,
    fold: int = 0,
    loss: float = 0.5,
    steps: int = 4,
    task: str = "toy",
) -> pd.DataFrame:
    """A trial whose operations come to their final values along a straight line."""
    rows = [
        (task, method, fold, 0, step, 1, name, weight, *(x * step / steps for x in sizes), "", loss)
        for step in range(1, steps + 1)
        for name, (weight, *sizes) in final.items()
    ]
    return pd.DataFrame(rows, columns=list(LEARNED_TABLE))


@pytest.fixture
def learn() -> Learn:
    return learned

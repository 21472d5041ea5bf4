"""Hand-made tables of what layers have learned, and data that are small enough for a test."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
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


@pytest.fixture(scope="session")
def small_cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with CIFAR-10's files of 40 images each, drawn at random."""
    root = tmp_path_factory.mktemp("data")
    (root / "cifar-10-batches-py").mkdir()
    generator = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        images = generator.integers(0, 256, (40, 3 * 32 * 32), dtype=np.uint8)
        batch = {b"data": images, b"labels": [label % 10 for label in range(40)]}
        (root / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(batch, protocol=2))
    return root

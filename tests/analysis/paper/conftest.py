"""Data that are small enough for a test."""

import pickle
from pathlib import Path

import numpy as np
import pytest


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

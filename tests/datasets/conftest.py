"""A CIFAR-10 as small as can be, so that its loader is tested on machines without data."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augbench.datasets.cifar10 import CHECKSUMS, FOLDER

WriteCifar = Callable[..., Path]


def entries(n: int, seed: int) -> dict[bytes, Any]:
    """A batch of noise with ten even classes, as Python 3 reads the official ones."""
    random = np.random.default_rng(seed)
    return {
        b"batch_label": b"training batch",
        b"labels": (np.arange(n) % 10).tolist(),
        b"data": random.integers(0, 256, (n, 3072), dtype=np.uint8),
        b"filenames": [b"noise.png"] * n,
    }


@pytest.fixture(scope="session")
def write_cifar() -> WriteCifar:
    """Writes six batches under a data root; ``changes`` replace entries of each."""

    def write(root: Path, n: int = 20, **changes: Any) -> Path:
        (root / FOLDER).mkdir(exist_ok=True)
        for seed, name in enumerate(CHECKSUMS):
            stored = entries(n, seed) | {key.encode(): value for key, value in changes.items()}
            (root / FOLDER / name).write_bytes(pickle.dumps(stored, protocol=2))
        return root

    return write


@pytest.fixture(scope="session")
def small_cifar(write_cifar: WriteCifar, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cifar(tmp_path_factory.mktemp("cifar"))

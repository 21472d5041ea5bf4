"""The generators that libraries draw from without saying so."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seeding() -> Iterator[Callable[[int], None]]:
    """What seeds the global generators of torch (CPU), numpy and Python, which are put back at the
    end: ``with seeding() as seed: seed(3)``."""
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield _seed
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        random.setstate(kept[2])


def _seed(value: int) -> None:
    torch.default_generator.manual_seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002 the global one is meant
    random.seed(value)

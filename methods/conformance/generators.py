"""The global random generators: what nobody may draw from, and nobody may seed."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

# A seed that nobody else takes: a generator that others seed is then in another state.
UNUSUAL = 987_654_321


def states() -> dict[str, Any]:
    """The state of each global generator, by the name of what holds it."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002 the global one is meant
    return {
        "torch": bytes(torch.get_rng_state().numpy()),
        "numpy.random": (name, np.asarray(keys).tobytes(), position, has_gauss, gauss),
        "random": random.getstate(),
    }


def touched(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The generators whose states differ."""
    return [name for name in before if before[name] != after[name]]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed all global generators inside the block, and put them back afterwards."""
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
        yield
    finally:
        torch.set_rng_state(kept[0])
        np.random.set_state(kept[1])  # noqa: NPY002
        random.setstate(kept[2])

"""How far what one place of the head produces is seen at another: volume conduction."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.electrodes import places

# A derivation: the weight of each electrode, in upper case, as in {"C3": 1, "A1": -.5, "A2": -.5}.
Derivation = Mapping[str, float]

SPREAD = 0.07  # metres at which a source is seen at exp(-1/2) of its size
# The recordings that the table of rhythms is fitted to were made there.
REFERENCE: Derivation = {"CZ": 1.0, "A1": -1.0}


def mixing(
    channels: Sequence[Derivation],
    sources: Sequence[Derivation],
    unit: Derivation = REFERENCE,
) -> NDArray[np.float32]:
    """(C, S): what each channel sees of each source, a source being a weighted set of places.

    A source is seen at an electrode by their distance, as a normal curve. The scale is such that
    independent sources of deviation 1 give deviation 1 at ``unit``.
    """
    seen = _seen([*channels, unit], sources)
    return (seen[:-1] / np.linalg.norm(seen[-1])).astype(np.float32)


def _seen(channels: Sequence[Derivation], sources: Sequence[Derivation]) -> NDArray[np.float64]:
    names = list(places())
    positions = np.array(list(places().values()))  # (E, 3)
    electrodes = _weights(channels, names)  # (C, E)
    origins = _weights(sources, names)  # (S, E)
    used, from_ = electrodes.any(axis=0), origins.any(axis=0)
    apart = np.linalg.norm(positions[used, None] - positions[None, from_], axis=2)
    near = np.exp(-0.5 * (apart / SPREAD) ** 2)
    seen: NDArray[np.float64] = electrodes[:, used] @ near @ origins[:, from_].T
    return seen


def _weights(sets: Sequence[Derivation], names: list[str]) -> NDArray[np.float64]:
    weights = np.zeros((len(sets), len(names)))
    for row, each in zip(weights, sets, strict=True):
        for name, weight in each.items():
            row[names.index(name)] = weight
    return weights

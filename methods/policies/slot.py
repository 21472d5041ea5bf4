"""A slot of the space of policies; without torch, so that a status is shown quickly."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Slot(NamedTuple):
    """Three coordinates of a point. An ungraded transform does not use the magnitude."""

    transform: str
    probability: float
    magnitude: float


def read_slots(plain: Sequence[Sequence[Any]]) -> tuple[Slot, ...]:
    """Slots from the lists in a checkpoint."""
    return tuple(Slot(*slot) for slot in plain)

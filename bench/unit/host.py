"""Where and how a unit is done."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Host:
    """Where and how a unit is done; nothing of it is part of what the unit is."""

    data: Path
    device: str = "cpu"
    threads: int = 1
    shared: bool = False  # whether other units use the same GPU
    score_test: bool = True  # False in a search, which must not see that split
    checkpoint_seconds: float = 10.0  # at most, between checkpoints: see `Pace`
    hands_out: bool = False  # whether other workers can do samplings of a trial

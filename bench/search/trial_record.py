"""What a search keeps of a trial beside its values and its metric, as plain JSON."""

from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any


@dataclass(frozen=True)
class TrialRecord:
    """What is known of a trial when it ends; empty before."""

    standard_error: float | None = None  # of the mean over its units; None for a single unit
    # The best validation metric of each unit. A unit that has shown none counts as 0 in the mean.
    values: list[float | None] = field(default_factory=list)
    # Why units have shown none ("diverged", "over budget"), one for each such unit.
    without_metric: list[str] = field(default_factory=list)
    device_hours: float = 0.0
    forward: int = 0  # samples
    backward: int = 0
    charges: dict[str, list[float]] = field(default_factory=dict)  # seconds, samples; by unit

    def __post_init__(self) -> None:
        costs = [self.device_hours, self.forward, self.backward]
        if not all(isfinite(cost) for cost in costs):
            raise ValueError("its costs are not finite numbers")
        if any(len(charge) != 3 for charge in self.charges.values()):
            raise ValueError("charges of a unit are not three numbers")

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)

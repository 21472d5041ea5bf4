"""How a trunk is trained: the options under ``training`` in a suite."""

from dataclasses import dataclass
from math import inf
from typing import Literal

Schedule = Literal["constant", "cosine"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainingSettings:
    """The inner training of a trunk, the same for every method on a task.

    The defaults are the paper's for EEG. Source: appendix A.4.
    """

    epochs: int = 300  # at most
    batch_size: int = 16
    learning_rate: float = 1e-3  # of Adam, in the first epoch
    # Of the learning rate over the epochs; "cosine" lowers it almost to 0 in the last one.
    schedule: Schedule = "constant"
    beta1: float = 0.0
    beta2: float = 0.999
    weight_decay: float = 0.0
    patience: int = 30  # epochs without a better validation metric before stopping
    class_weights: bool = True  # cross-entropy weighted by inverse class frequency
    # Of the products in the trunk. A step of conv_net takes half the time in bfloat16 on a
    # processor that supports it.
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        """Raises ValueError for a number out of range."""
        for name in ("epochs", "batch_size", "learning_rate", "patience"):
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it has to be above 0")
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it has to be in [0, 1)")
        if not 0 <= self.weight_decay < inf:
            raise ValueError(f"weight_decay is {self.weight_decay}; it has to be 0 or more")

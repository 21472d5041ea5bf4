"""The contract of a method, what it is built from, and its artifacts."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import nn

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Metric
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Signal, Views
from augbench.methods.options.phase import Phase
from augbench.methods.policies.policy import Policy
from augbench.methods.transforms.transform import Transform


class Meter(Protocol):
    """Counts a method's costs: the part of the ledger that methods may use."""

    def phase(self, name: Phase) -> AbstractContextManager[None]:
        """Charge the block to a phase; an inner block pauses the outer one."""

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        """Add samples through the trunk, forward and backward, and optimizer steps."""


@dataclass(frozen=True)
class Setup:
    """All that a method is given; the test split cannot be reached from here."""

    views: Views
    signal: Signal
    n_classes: int
    metric: Metric
    trunk: Callable[[], nn.Module]  # a new trunk, always with the same initial weights
    bank: Mapping[str, Transform]  # the task's transforms, in order
    training: TrainingSettings
    seeds: Seeds
    meter: Meter
    device: torch.device


class Trained(NamedTuple):
    """An artifact of an end-to-end method: a model as it is now, and its validation metric."""

    model: nn.Module
    valid: float


class Method(Protocol):
    """A learner that advances by small steps and can be stopped and resumed between any two.

    A step is the smallest unit worth resuming: one epoch of the current training. A method shows an
    artifact only now and then (every epoch, every fifth sampling); after the steps in between
    `artifact` is None.
    """

    def step(self) -> bool:
        """Advance by one step; True when there is no further one."""

    def artifact(self, *, last: bool = False) -> Policy | Trained | None:
        """What is to be scored after this step: a policy to retrain under, or a model.

        ``last`` says that the budget is used up: then the current artifact, even if none is due.
        """

    def learned(self) -> dict[str, Any]:
        """What to record beside the artifact, as plain JSON: weights, magnitudes, rewards.

        ``best_valid`` is the best validation metric so far, where a method has one. ``layers`` is
        what augmentation layers have learned, in the form of methods/augnet.py; a method that has
        it also has ``loss``, the mean training loss of the last epoch.
        """

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on, as tensors and plain data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""


class DoesNotFitError(UserError):
    """The task's signal is of a kind that the method is not for, whatever its options.

    A builder raises it. The harness skips such trials and runs the others of the suite; any other
    UserError of a builder stops a suite before it begins.
    """

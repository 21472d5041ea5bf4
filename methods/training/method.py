"""The contract of a method, what it is built from, and what it shows."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import nn

from augbench.datasets.errors import UserError
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Metric, Signal, TrainingSettings, Views
from augbench.methods.policies.policy import Policy
from augbench.methods.transforms.transform import Transform

# "validate" is validation that steers: early stopping, the choice of an epoch, rewards. "evaluate"
# is scoring that steers nothing.
Phase = Literal["pretrain", "search", "validate", "retrain", "evaluate"]


class Meter(Protocol):
    """Where a method's costs are counted: the ledger, seen from below."""

    def phase(self, name: Phase) -> AbstractContextManager[None]:
        """Charge the block to a phase; an inner block pauses the outer one."""

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        """Add samples through the trunk, forward and backward, and optimizer steps."""


@dataclass(frozen=True)
class Setup:
    """All that a method is given. There is no way from here to the test split."""

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

    A step is the smallest unit worth resuming: one epoch of whatever training is under way. What a
    method has to show is due only now and then (every epoch, every fifth sampling), so `artifact`
    is None after the steps in between.
    """

    def step(self) -> bool:
        """Advance by one step; True when there is no further one."""

    def artifact(self, *, last: bool = False) -> Policy | Trained | None:
        """What is to be scored after this step: a policy to retrain under, or a model.

        ``last`` says that the budget is used up: then whatever there is, due or not.
        """

    def learned(self) -> dict[str, Any]:
        """What to record beside the artifact, as plain JSON: weights, magnitudes, rewards.

        Under ``best_valid`` the best validation metric so far, where a method has one. Under
        ``layers`` what augmentation layers hold, as methods/augnet.py tells it, and then under
        ``loss`` the mean training loss of the last epoch.
        """

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on, as tensors and plain data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""


class DoesNotFitError(UserError):
    """The task's signal is of a kind that the method is not for, whatever its options.

    Raised by a builder. The harness skips such trials and runs the others of the suite; any other
    UserError of a builder stops a suite before it begins.
    """


class MethodRow(NamedTuple):
    """A row of the table of methods: its options (a frozen dataclass) and how to build it."""

    options: type
    build: Callable[[Setup, Any], Method]
    ends_in: Literal["model", "policy"]

"""The tables of a suite file: what may stand in each, and what it means."""

from dataclasses import dataclass, field
from math import inf
from typing import Any

DEFAULT = "default"  # in a list of transforms: those of the task
MAX_FOLDS = 10_000  # a plan of more would fill the memory


@dataclass(frozen=True)
class Resources:
    """What a run may use. No part of what a trial is: it changes no result."""

    workers: int = 2  # units that run at the same time
    cpus: float = 1.0  # for each unit, which uses as many threads
    gpus: float = 0.0  # for each unit; several units share a GPU if it is below 1
    # Minutes that one step may take before its unit is killed and tried again; None: any time.
    # With Ray only. Budgets are checked between steps.
    hang_minutes: float | None = None
    # Minutes without a sign of life before a unit is given up and tried again. With Ray only.
    lost_minutes: float = 2.0

    def __post_init__(self) -> None:
        """Raise a ValueError for a number out of range."""
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}; it has to be 1 or more")
        if not 0 < self.cpus < inf:
            raise ValueError(f"cpus is {self.cpus}; it has to be above 0")
        if not 0 <= self.gpus < inf or (self.gpus > 1 and self.gpus != int(self.gpus)):
            raise ValueError(
                f"gpus is {self.gpus}; it has to be a share of one GPU or a whole number"
            )
        for name in ("hang_minutes", "lost_minutes"):
            minutes = getattr(self, name)
            if minutes is not None and not 0 < minutes < inf:
                raise ValueError(f"{name} is {minutes}; it has to be above 0")


@dataclass(frozen=True)
class TaskTable:
    """The keys that every task takes, beside the task's own options."""

    task: str | None = None  # a task by its name; None: the name of the table
    data_seed: int = 0  # for what the task draws itself: folds, waves
    trunk: str | None = None  # another network than the task's own
    training: dict[str, Any] = field(default_factory=dict)  # changes to the task's training
    # In place of the task's own, in this order. "default" stands for those, so that
    # ["default", "mine"] adds one of your own package.
    transforms: tuple[str, ...] | None = None
    ranges: dict[str, float] = field(default_factory=dict)  # what magnitude 1 means, in its unit
    # What the magnitude drives in transforms of kornia and braindecode: for each
    # "kornia.RandomShear" a parameter, its range and the other options.
    imported: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodTable:
    """The keys that every method takes, beside the method's own options."""

    method: str | None = None  # a method by its name; None: the name of the table
    budget: dict[str, Any] | None = None  # in place of the suite's
    # Changes to the tasks' training for this method alone, its retrainings included: papers give
    # each method a learning rate of its own.
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchTable:
    """The search that found a method's options, and what that search was charged."""

    directory: str
    device_hours: float
    forward: int  # samples
    backward: int


@dataclass(frozen=True)
class SuiteFile:
    """A suite file as it is written."""

    name: str
    folds: int | list[int]  # how many, from the first on; or which
    tasks: dict[str, dict[str, Any]]
    methods: dict[str, dict[str, Any]]
    seeds: list[int] = field(default_factory=lambda: [0])
    budget: dict[str, Any] = field(default_factory=dict)  # where a trial ends at the latest
    total_device_hours: float | None = None  # of all trials and retrainings together
    resources: dict[str, Any] = field(default_factory=dict)
    # By method: what `augbench search` writes into best.toml. No part of any trial.
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise a ValueError for a number out of range."""
        if isinstance(self.folds, int) and not 1 <= self.folds <= MAX_FOLDS:
            raise ValueError(
                f"folds is {self.folds}; it has to be from 1 to {MAX_FOLDS}, or a list of folds, "
                "as in [0, 4]"
            )
        total = self.total_device_hours
        if total is not None and not 0 < total < inf:
            raise ValueError(f"total_device_hours is {total}; it has to be above 0")

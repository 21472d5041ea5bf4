"""A task's row with what it is built from: what its checks share."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from augbench.datasets.options.row import TaskRow, resolve
from augbench.datasets.parts import NAMES
from augbench.datasets.task import Fold, Split, Task
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.task_digest import MOST_FOLDS


@dataclass(frozen=True)
class Case:
    """A task's row, with what it is built from."""

    name: str
    row: TaskRow
    given: Any  # options; None: the row's own
    data: Path
    seed: int

    @property
    def options(self) -> Any:
        return self.row.options() if self.given is None else self.given

    def build(self) -> Task:
        """Build the task anew."""
        task = resolve(self.row.build)(self.options, self.data, self.seed)
        if not isinstance(task, Task):
            raise BrokenError(f"build() returns a {type(task).__name__}; it has to be a Task")
        return task

    @cached_property
    def task(self) -> Task:
        return self.build()

    @property
    def numbers(self) -> range:
        """The folds that are looked at."""
        return range(min(self.task.n_folds, MOST_FOLDS))

    def folds(self) -> Iterator[Fold]:
        """One after the other: all together may not fit into memory."""
        return map(self.task.fold, self.numbers)


def parts_of(fold: Fold) -> dict[str, Split]:
    """Training, validation and test, by the names that messages use."""
    return dict(zip(NAMES, (fold.views.train, fold.views.model_valid, fold.test), strict=True))

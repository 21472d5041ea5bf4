"""What a task promises: the checks, in the order in which they are told."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from augbench.datasets.options.row import TaskRow
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import Finding, run_checks
from augbench.methods.conformance.options import describe_options
from augbench.methods.conformance.task_case import Case
from augbench.methods.conformance.task_contract import (
    contract,
    tensors_are_as_agreed,
    trunk_and_transforms_fit,
)
from augbench.methods.conformance.task_folds import (
    every_class_is_in_training,
    folds_are_disjoint,
    folds_differ,
    parts_are_counted,
)
from augbench.methods.conformance.task_repeats import data_are_the_same_again


def check_task(
    name: str, row: TaskRow, options: Any = None, data: Path = Path("data"), seed: int = 0
) -> Iterator[Finding]:
    """Whether a task keeps its promises; ``data`` is the folder of all data sets."""
    with generators.seeded(generators.UNUSUAL):
        yield from run_checks(
            CHECKS, Case(name, row, options, data.absolute(), seed), needed=("contract",)
        )


CHECKS: Mapping[str, Callable[[Case], str]] = {
    "options": lambda case: describe_options(case.row.options),
    "contract": contract,
    "tensors": tensors_are_as_agreed,
    "classes": every_class_is_in_training,
    "disjoint": folds_are_disjoint,
    "folds": folds_differ,
    "same again": data_are_the_same_again,
    "counts": parts_are_counted,
    "trunk and transforms": trunk_and_transforms_fit,
}

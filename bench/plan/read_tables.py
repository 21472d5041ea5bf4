"""Reads the table of a task and of a method in a suite."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, NamedTuple, TypeVar

from augbench.bench.plan.options import read_options
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec
from augbench.bench.plan.tables import MethodTable, TaskTable
from augbench.datasets.errors import UserError, unknown
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.trunks import TRUNKS
from augbench.methods.options.imported import LIBRARIES, ImportedOptions, check_kind, library_of
from augbench.methods.options.row import MethodRow

Table = TypeVar("Table", TaskTable, MethodTable)


def read_task(
    table: Mapping[str, Any], label: str, known: Mapping[str, TaskRow], where: str
) -> TaskSpec:
    """A task's table, checked. The label is the task's name unless the table has ``task``.

    Raises a UserError that names the place, ``where``.
    """
    shared, own = _split(table, TaskTable, where)
    name = shared.task or label
    if name not in known:
        raise unknown("task", name, known)
    if shared.trunk is not None and shared.trunk not in TRUNKS:
        raise unknown("trunk", shared.trunk, TRUNKS)
    if shared.transforms is not None and len(set(shared.transforms)) < len(shared.transforms):
        raise UserError(f"{where}: a transform is listed twice: {', '.join(shared.transforms)}")
    return TaskSpec(
        task=name,
        options=_read_own(known[name].options, own, TaskTable, where),
        data_seed=shared.data_seed,
        trunk=shared.trunk,
        training=_read_training(shared.training, where),
        transforms=shared.transforms,
        ranges=shared.ranges,
        imported=_read_imported(shared, known[name], where),
    )


def _read_imported(table: TaskTable, row: TaskRow, where: str) -> dict[str, dict[str, Any]]:
    """What the task's table says of transforms of other libraries, checked so far as it can be
    without them."""
    listed = table.transforms or ()
    for name in listed:
        if len(row.kinds) == 1:
            check_kind(name, row.kinds[0])
    for name in table.imported:
        if library_of(name) is None:
            raise UserError(
                f"{where}: imported holds {name!r}; it has to be the name of an augmentation of "
                f'{" or ".join(LIBRARIES)}, in quotes, as in imported."kornia.RandomShear"'
            )
        if name not in listed:
            raise UserError(
                f"{where}: imported says what {name!r} is, which the task does not use: add it to "
                f'its transforms, as in transforms = ["default", "{name}"]'
            )
    return {
        name: read_options(
            ImportedOptions, each, f"imported.{json.dumps(name)} of {where}"
        ).to_plain()
        for name, each in table.imported.items()
    }


class SuiteMethod(NamedTuple):
    """A method's table, checked."""

    method: str
    options: dict[str, Any]
    budget: Budget
    training: dict[str, Any]

    def on(self, task: TaskSpec) -> TaskSpec:
        """The task with the changes that this method makes to its training."""
        return replace(task, training=task.training | self.training)

    def trial(self, task: TaskSpec, fold: int, seed: int) -> TrialSpec:
        return TrialSpec(task, self.method, self.options, fold, seed, self.budget)


def read_method(
    table: Mapping[str, Any],
    label: str,
    known: Mapping[str, MethodRow],
    budget: Budget,
    where: str,
) -> SuiteMethod:
    """A method's table, checked, as `read_task` does; ``budget`` holds unless it has its own."""
    shared, own = _split(table, MethodTable, where)
    name = shared.method or label
    if name not in known:
        raise unknown("method", name, known)
    if shared.budget is not None:
        budget = read_options(Budget, shared.budget, f"budget in {where}")
    options = _read_own(known[name].options, own, MethodTable, where)
    return SuiteMethod(name, options, budget, _read_training(shared.training, where))


def _read_training(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The training settings that a table sets, checked; the others are left out."""
    settings = asdict(read_options(TrainingSettings, table, f"training in {where}"))
    return {key: settings[key] for key in table}


def _split(table: Mapping[str, Any], cls: type[Table], where: str) -> tuple[Table, dict[str, Any]]:
    """Separate the keys that every task or method takes from its own options."""
    reserved = {f.name for f in fields(cls)}
    shared = {key: value for key, value in table.items() if key in reserved}
    own = {key: value for key, value in table.items() if key not in reserved}
    return read_options(cls, shared, where), own


def _read_own(cls: type, table: Mapping[str, Any], shared: type, where: str) -> dict[str, Any]:
    """The options of a task or a method as plain JSON, defaults included but for LATER ones."""
    known = [f.name for f in fields(cls)]
    for key in table:
        if key not in known:
            raise unknown(f"key in {where}:", key, [*known, *(f.name for f in fields(shared))])
    options: dict[str, Any] = json.loads(json.dumps(asdict(read_options(cls, table, where))))
    later = {f.name: f.default for f in fields(cls) if f.metadata.get("later")}
    return {k: value for k, value in options.items() if k not in later or value != later[k]}

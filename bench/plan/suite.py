"""A suite: one TOML file, with overrides, that becomes a plan of trials."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from augbench.bench.plan.options import read_options
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec, UnitId
from augbench.datasets import known_tasks
from augbench.datasets.errors import UserError, unknown
from augbench.datasets.task import TrainingSettings
from augbench.datasets.trunks import TRUNKS
from augbench.methods import known_methods

MOST_FOLDS = 10_000  # more would fill the memory with a plan
Table = TypeVar("Table", "TaskTable", "MethodTable")


@dataclass(frozen=True)
class Resources:
    """What running takes; never part of what a trial is."""

    workers: int = 2  # units at a time
    cpus: float = 1.0  # per unit; also its number of threads
    gpus: float = 0.0  # per unit; a fraction shares a GPU, and its hours are marked so
    # A unit whose step takes longer is killed and tried again (by Ray's engine; the inline one is
    # the process that hangs). Budgets are looked at between steps. None waits for ever.
    hang_minutes: float | None = None
    lost_minutes: float = 2.0  # likewise, without a beat of its pulse (every half second)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers is {self.workers}; it has to be 1 or more")
        if not 0 < self.cpus < inf:
            raise ValueError(f"cpus is {self.cpus}; it has to be above 0")
        if not 0 <= self.gpus < inf or (self.gpus > 1 and self.gpus != int(self.gpus)):
            raise ValueError(f"gpus is {self.gpus}; it has to be a share of one or a whole number")
        for name in ("hang_minutes", "lost_minutes"):
            minutes = getattr(self, name)
            if minutes is not None and not 0 < minutes < inf:
                raise ValueError(f"{name} is {minutes}; it has to be above 0")


@dataclass(frozen=True)
class TaskTable:
    """What a suite can say of any task, beside the task's own options."""

    task: str | None = None  # a row of the task table; None: the table's own name
    data_seed: int = 0
    trunk: str | None = None
    training: dict[str, Any] = field(default_factory=dict)
    transforms: tuple[str, ...] | None = None
    ranges: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodTable:
    """What a suite can say of any method, beside the method's own options."""

    method: str | None = None  # a row of the method table; None: the table's own name
    budget: dict[str, Any] | None = None
    # Changes to the tasks' training for this method alone, retrainings included: papers give each
    # method a learning rate of its own.
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchTable:
    """Which search a method's options come from, and what it was charged."""

    directory: str
    device_hours: float
    forward: int  # samples
    backward: int


@dataclass(frozen=True)
class SuiteFile:
    """The tables of a suite file as they stand there."""

    name: str
    folds: int | list[int]  # how many, or which
    tasks: dict[str, dict[str, Any]]
    methods: dict[str, dict[str, Any]]
    seeds: list[int] = field(default_factory=lambda: [0])
    budget: dict[str, Any] = field(default_factory=dict)  # of trials whose method has none itself
    total_device_hours: float | None = None  # of all trials and retrainings together
    resources: dict[str, Any] = field(default_factory=dict)
    # Of methods whose options `augbench search` found; what it writes, and no part of any trial.
    searches: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if isinstance(self.folds, int) and not 1 <= self.folds <= MOST_FOLDS:
            rule = f"it has to be from 1 to {MOST_FOLDS}, or a list of which, as in [0, 4]"
            raise ValueError(f"folds is {self.folds}; {rule}")
        total = self.total_device_hours
        if total is not None and not 0 < total < inf:
            raise ValueError(f"total_device_hours is {total}; it has to be above 0")


class PlannedTrial(NamedTuple):
    """A trial and what the suite calls its task and its method."""

    task: str
    method: str
    spec: TrialSpec


@dataclass(frozen=True)
class Suite:
    """A suite file, read and checked."""

    name: str
    plan: tuple[PlannedTrial, ...]
    resources: Resources
    total_device_hours: float | None  # what all units together may be charged; None is no bound
    resolved: dict[str, Any]  # the tables after the overrides, to be kept with the run
    searches: dict[str, SearchTable]  # by the label of the method


def load_suite(path: Path, overrides: Sequence[str] = (), fragments: Sequence[Path] = ()) -> Suite:
    """Read a suite file, with the tables of other files over its own.

    Each override is ``dotted.key=value`` with a TOML value, and has the last word.
    Raises a UserError for a file that is missing or no TOML, an unknown key, task, method or
    option, or a value of the wrong kind.
    """
    tables = _read_toml(path, "suite")
    for fragment in fragments:
        tables = _merged(tables, _read_toml(fragment, "the tables of"))
    for override in overrides:
        _override(tables, override)
    return read_suite(tables, " with ".join(map(str, (path, *fragments))))


def _read_toml(path: Path, what: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise UserError(f"cannot read {what} {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no TOML: {error}") from None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables as one; where both hold a key, tables are merged and other values replaced."""
    both = {
        key: _merged(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
    }
    return {**below, **above, **both}


def read_suite(tables: Mapping[str, Any], where: str) -> Suite:
    """The same from tables in memory; ``where`` names them in errors."""
    file = read_options(SuiteFile, tables, where)
    folds = list(range(file.folds)) if isinstance(file.folds, int) else file.folds
    for name, values in (("folds", folds), ("seeds", file.seeds)):
        if not values or len(set(values)) < len(values) or min(values) < 0:
            raise UserError(f"{where}: {name} must be distinct numbers from 0 on, given {values}")
    for name, table in (("tasks", file.tasks), ("methods", file.methods)):
        if not table:
            raise UserError(f"{where}: [{name}.NAME] is missing: a suite needs at least one")
    budget = read_options(Budget, file.budget, f"[budget] of {where}")
    resources = read_options(Resources, file.resources, f"[resources] of {where}")
    if not re.fullmatch(r"[\w.-]*\w", file.name):
        raise UserError(f"{where}: name is {file.name!r}; it has to be letters, digits, - . and _")
    tasks = {
        label: _read_task(table, label, f"[tasks.{label}] of {where}")
        for label, table in file.tasks.items()
    }
    methods = {
        label: _read_method(table, label, budget, f"[methods.{label}] of {where}")
        for label, table in file.methods.items()
    }
    plan = _plan(tasks, methods, folds, file.seeds)
    _check_distinct(plan, where)
    searches = _read_searches(file.searches, methods, where)
    total, resolved = file.total_device_hours, json.loads(json.dumps(tables))
    return Suite(file.name, plan, resources, total, resolved, searches)


def _plan(
    tasks: Mapping[str, TaskSpec],
    methods: Mapping[str, "_Method"],
    folds: Sequence[int],
    seeds: Sequence[int],
) -> tuple[PlannedTrial, ...]:
    # One table of a task for each method, not for each of its trials, of which there can be many.
    on = {
        (task_label, method_label): method.on(task)
        for task_label, task in tasks.items()
        for method_label, method in methods.items()
    }
    return tuple(
        PlannedTrial(task, method, methods[method].trial(on[task, method], fold, seed))
        for task in tasks
        for seed in seeds
        for fold in folds
        for method in methods
    )


def _check_distinct(plan: Sequence[PlannedTrial], where: str) -> None:
    first: dict[UnitId, PlannedTrial] = {}
    for planned in plan:
        twin = first.setdefault(planned.spec.unit, planned)
        if twin is not planned:
            raise UserError(
                f"{where}: {twin.method!r} on {twin.task!r} and {planned.method!r} on "
                f"{planned.task!r} are the same trials: remove one or change an option"
            )


def _read_searches(
    tables: Mapping[str, Any], methods: Mapping[str, "_Method"], where: str
) -> dict[str, SearchTable]:
    searches = {
        label: read_options(SearchTable, table, f"[searches.{label}] of {where}")
        for label, table in tables.items()
    }
    for label in searches:
        if label not in methods:
            raise unknown(f"method in [searches] of {where}:", label, methods)
    return searches


def _read_task(table: Mapping[str, Any], label: str, where: str) -> TaskSpec:
    shared, own = _split(table, TaskTable, where)
    name = shared.task or label
    known = known_tasks()
    if name not in known:
        raise unknown("task", name, known)
    if shared.trunk is not None and shared.trunk not in TRUNKS:
        raise unknown("trunk", shared.trunk, TRUNKS)
    if shared.transforms is not None and len(set(shared.transforms)) < len(shared.transforms):
        raise UserError(f"{where}: transforms names one twice: {', '.join(shared.transforms)}")
    return TaskSpec(
        task=name,
        options=_read_own(known[name].options, own, TaskTable, where),
        data_seed=shared.data_seed,
        trunk=shared.trunk,
        training=_read_training(shared.training, where),
        transforms=shared.transforms,
        ranges=shared.ranges,
    )


class _Method(NamedTuple):
    """What a table of a method says, checked."""

    method: str
    options: dict[str, Any]
    budget: Budget
    training: dict[str, Any]

    def on(self, task: TaskSpec) -> TaskSpec:
        """The task, with the training that this method has on it."""
        return replace(task, training=task.training | self.training)

    def trial(self, task: TaskSpec, fold: int, seed: int) -> TrialSpec:
        return TrialSpec(task, self.method, self.options, fold, seed, self.budget)


def _read_method(table: Mapping[str, Any], label: str, budget: Budget, where: str) -> _Method:
    shared, own = _split(table, MethodTable, where)
    name = shared.method or label
    known = known_methods()
    if name not in known:
        raise unknown("method", name, known)
    if shared.budget is not None:
        budget = read_options(Budget, shared.budget, f"budget in {where}")
    options = _read_own(known[name].options, own, MethodTable, where)
    return _Method(name, options, budget, _read_training(shared.training, where))


def _read_training(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The training settings that a table names, and no others."""
    settings = asdict(read_options(TrainingSettings, table, f"training in {where}"))
    return {key: settings[key] for key in table}


def _split(table: Mapping[str, Any], cls: type[Table], where: str) -> tuple[Table, dict[str, Any]]:
    """What any row of a table of tables can hold, and what is this row's own."""
    reserved = {f.name for f in fields(cls)}
    shared = {key: value for key, value in table.items() if key in reserved}
    own = {key: value for key, value in table.items() if key not in reserved}
    return read_options(cls, shared, where), own


def _read_own(cls: type, table: Mapping[str, Any], shared: type, where: str) -> dict[str, Any]:
    """The options of a task or a method, with all defaults, as plain JSON."""
    known = [f.name for f in fields(cls)]
    for key in table:
        if key not in known:
            raise unknown(f"key in {where}:", key, [*known, *(f.name for f in fields(shared))])
    options: dict[str, Any] = json.loads(json.dumps(asdict(read_options(cls, table, where))))
    return options


def _override(tables: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UserError(f"--set {override!r}: it has to be key=value, as in --set 'seeds=[0,1]'")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *path, last = key.split(".")
    table = tables
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {override!r}: {part!r} is a value and no table")
    table[last] = value

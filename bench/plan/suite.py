"""Reads a suite, one TOML file with overrides, and makes a plan of trials from it."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from augbench.bench.plan.options import plain_table, read_options
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec, UnitId
from augbench.bench.plan.tables import MethodTable, Resources, SearchTable, SuiteFile, TaskTable
from augbench.datasets import known_tasks
from augbench.datasets.errors import UserError, unknown
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.trunks import TRUNKS
from augbench.methods import known_methods
from augbench.methods.options.imported import LIBRARIES, ImportedOptions, check_kind, library_of
from augbench.methods.options.row import MethodRow

SHIPPED = Path(__file__).parents[1] / "suites"

Table = TypeVar("Table", TaskTable, MethodTable)


class PlannedTrial(NamedTuple):
    """A trial, and the suite's labels of its task and its method."""

    task: str
    method: str
    spec: TrialSpec


@dataclass(frozen=True)
class Suite:
    """A suite file, read and checked."""

    name: str
    plan: tuple[PlannedTrial, ...]
    resources: Resources
    total_device_hours: float | None  # that all units together may be charged; None: no limit
    resolved: dict[str, Any]  # the tables with the overrides, as the run directory keeps them
    searches: dict[str, SearchTable]  # by the label of the method


def shipped_suites() -> dict[str, Path]:
    """The suites that come with augbench, by name."""
    files = sorted(SHIPPED.rglob("*.toml"), key=lambda file: (len(file.parts), file))
    return {file.stem: file for file in files}  # those of the paper's figures come last


def find_suite(path: Path) -> Path:
    """The file that is meant: the path itself, or a shipped suite where it is a bare name.

    Raises a UserError for a bare name that is neither, and for a folder.
    """
    if path.is_file() or str(path) != path.stem:
        return path
    shipped = shipped_suites()
    if path.stem not in shipped and path.is_dir():
        raise UserError(
            f"{path} is a folder; name a suite file (to go on with a run, the suite that began it)"
        )
    if path.stem not in shipped:
        raise unknown("suite", path.stem, shipped)
    return shipped[path.stem]


def load_suite(path: Path, overrides: Sequence[str] = (), fragments: Sequence[Path] = ()) -> Suite:
    """Read a suite file; the tables of ``fragments`` replace its own, key by key.

    Each override is ``dotted.key=value`` with a TOML value; overrides are applied last. Raises a
    UserError for a file that is missing or is not TOML, an unknown key, task, method or option, or
    a value of the wrong kind.
    """
    tables = _read_toml(path, "suite", "`augbench suites` lists those that come with augbench")
    for fragment in fragments:
        more = _read_toml(fragment, "the tables of", "--with takes a TOML file")
        tables = _merged(tables, more)
    for override in overrides:
        set_value(tables, override)
    return read_suite(tables, " with ".join(map(str, (path, *fragments))))


def _read_toml(path: Path, what: str, hint: str) -> dict[str, Any]:
    try:
        # UTF-8 whatever the locale; some editors begin a file with a byte order mark.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UserError(f"cannot read {what} {path}: {error.strerror}; {hint}") from None
    except RecursionError:
        raise UserError(f"{path} is nested too deeply for a suite") from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise UserError(f"{path} is not a TOML file: {error}") from None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two tables: where both have a key, inner tables are merged, other values replaced."""
    both = {
        key: _merged(below[key], value)
        for key, value in above.items()
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping)
    }
    return {**below, **above, **both}


def read_suite(tables: Mapping[str, Any], where: str) -> Suite:
    """Read a suite from tables in memory; ``where`` names them in errors.

    Raises a UserError as `load_suite` does.
    """
    tables = plain_table(tables, where)
    file = read_options(SuiteFile, tables, where)
    folds = list(range(file.folds)) if isinstance(file.folds, int) else file.folds
    for name, values in (("folds", folds), ("seeds", file.seeds)):
        if not values or len(set(values)) < len(values) or min(values) < 0:
            raise UserError(f"{where}: {name} is {values}; give different numbers from 0 on")
    for name, table in (("tasks", file.tasks), ("methods", file.methods)):
        if not table:
            raise UserError(f"{where}: [{name}.NAME] is missing: give at least one")
    budget = read_options(Budget, file.budget, f"[budget] of {where}")
    resources = read_options(Resources, file.resources, f"[resources] of {where}")
    if not re.fullmatch(r"[\w.-]*\w", file.name):
        raise UserError(f"{where}: name is {file.name!r}; it may hold letters, digits, - . and _")
    task_rows, method_rows = known_tasks(), known_methods()
    tasks = {
        label: _read_task(table, label, task_rows, f"[tasks.{label}] of {where}")
        for label, table in file.tasks.items()
    }
    methods = {
        label: _read_method(table, label, method_rows, budget, f"[methods.{label}] of {where}")
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
    # One spec for each task and method, not for each trial: there can be very many trials.
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
                f"{planned.task!r} are the same trials: remove one of them or change an option"
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


def _read_task(
    table: Mapping[str, Any], label: str, known: Mapping[str, TaskRow], where: str
) -> TaskSpec:
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


class _Method(NamedTuple):
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


def _read_method(
    table: Mapping[str, Any],
    label: str,
    known: Mapping[str, MethodRow],
    budget: Budget,
    where: str,
) -> _Method:
    shared, own = _split(table, MethodTable, where)
    name = shared.method or label
    if name not in known:
        raise unknown("method", name, known)
    if shared.budget is not None:
        budget = read_options(Budget, shared.budget, f"budget in {where}")
    options = _read_own(known[name].options, own, MethodTable, where)
    return _Method(name, options, budget, _read_training(shared.training, where))


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


def set_value(tables: dict[str, Any], override: str) -> None:
    """Change a value of tables by ``dotted.key=value``; raises a UserError for another text."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UserError(f"--set {override!r}: write key=value, as in --set 'seeds=[0,1]'")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text  # a bare word is a string
    *path, last = _key_parts(key)
    table = tables
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {override!r}: {part!r} is a value, not a table")
    table[last] = value


def _key_parts(key: str) -> list[str]:
    """The parts of a dotted key; one in quotes may hold dots, as in TOML."""
    if '"' not in key:
        return key.split(".")
    try:
        table = tomllib.loads(f"{key} = 0")
    except ValueError:
        raise UserError(f'--set {key!r}: its quotes do not match; write a."b.c".d=value') from None
    parts = []
    while isinstance(table, dict):
        (part,) = table
        parts.append(part)
        table = table[part]
    return parts

"""Reads a suite, one TOML file with overrides, and makes a plan of trials from it."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.plan.options import plain_table, read_options
from augbench.bench.plan.overrides import set_value
from augbench.bench.plan.read_tables import SuiteMethod, read_method, read_task
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec, UnitId
from augbench.bench.plan.tables import Resources, SearchTable, SuiteFile
from augbench.datasets import known_tasks
from augbench.datasets.errors import UserError, unknown
from augbench.methods import known_methods

SHIPPED = Path(__file__).parents[1] / "suites"


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
        label: read_task(table, label, task_rows, f"[tasks.{label}] of {where}")
        for label, table in file.tasks.items()
    }
    methods = {
        label: read_method(table, label, method_rows, budget, f"[methods.{label}] of {where}")
        for label, table in file.methods.items()
    }
    plan = _plan(tasks, methods, folds, file.seeds)
    _check_distinct(plan, where)
    searches = _read_searches(file.searches, methods, where)
    total, resolved = file.total_device_hours, json.loads(json.dumps(tables))
    return Suite(file.name, plan, resources, total, resolved, searches)


def _plan(
    tasks: Mapping[str, TaskSpec],
    methods: Mapping[str, SuiteMethod],
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
    tables: Mapping[str, Any], methods: Mapping[str, SuiteMethod], where: str
) -> dict[str, SearchTable]:
    searches = {
        label: read_options(SearchTable, table, f"[searches.{label}] of {where}")
        for label, table in tables.items()
    }
    for label in searches:
        if label not in methods:
            raise unknown(f"method in [searches] of {where}:", label, methods)
    return searches

"""Two runs that are compared, as they are read, and in what they differ beside their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from augbench.analysis.compare.cells import compare_results
from augbench.analysis.tables.frame import Results, load
from augbench.bench.plan.differences import difference_text, differences
from augbench.bench.plan.spec import SEMANTICS, TrialSpec
from augbench.bench.plan.suite import Suite
from augbench.bench.store.open_run import check_semantics, open_run
from augbench.bench.store.origin import Origin, read_origin
from augbench.datasets.errors import UserError

Cell = tuple[str, str]  # the labels of a task and a method


@dataclass(frozen=True)
class ComparedRun:
    """One of both runs."""

    path: Path
    suite: Suite
    results: Results
    origin: Origin

    @property
    def cells(self) -> dict[Cell, TrialSpec]:
        """One trial of each cell: all of a cell have the same options."""
        return {(planned.task, planned.method): planned.spec for planned in self.suite.plan}


def read_run(path: Path) -> ComparedRun:
    """A run directory, finished or not.

    UserError: it is not a run directory, or another version of augbench wrote it.
    """
    run, suite = open_run(path)
    check_semantics(run, suite.plan)
    return ComparedRun(path, suite, load(path), read_origin(run, suite.plan))


def compare_runs(a: ComparedRun, b: ComparedRun, *, limit: float) -> pd.DataFrame:
    """The table of ``compare_results`` of two runs.

    UserError: they have no cell in common.
    """
    if not a.cells.keys() & b.cells.keys():
        raise UserError(
            f"{a.path} and {b.path} have no task and method in common: the first has "
            f"{_names(a)}, the second {_names(b)}"
        )
    changed = changed_options(a, b)
    return compare_results(
        a.results, b.results, limit=limit, other_data=other_data(a, b), options=changed
    )


def _names(run: ComparedRun) -> str:
    tasks = dict.fromkeys(task for task, _ in run.cells)
    methods = dict.fromkeys(method for _, method in run.cells)
    return f"{', '.join(methods)} on {', '.join(tasks)}"


def changed_options(a: ComparedRun, b: ComparedRun) -> dict[Cell, str]:
    """By cell which options differ, of those that both runs plan and that differ."""
    found = {cell: differences(a.cells[cell], b.cells[cell]) for cell in a.cells if cell in b.cells}
    return {cell: difference_text(each, "A", "B") for cell, each in found.items() if each}


def other_data(a: ComparedRun, b: ComparedRun) -> list[str]:
    """The tasks of which both runs are known to have used other data."""
    data_a, data_b = a.origin.data, b.origin.data
    return [
        task for task in data_a if task in data_b and data_a[task].keys() != data_b[task].keys()
    ]


def likeness(a: ComparedRun, b: ComparedRun) -> list[str]:
    """One line on whether data, code and settings are the same; then lines on what is not."""
    tasks = dict.fromkeys(task for task, _ in a.cells.keys() & b.cells.keys())
    differing = other_data(a, b)
    unknown = sorted(t for t in tasks if not (a.origin.data.get(t) and b.origin.data.get(t)))
    changed = changed_options(a, b)
    data = f"other data of {', '.join(differing)}" if differing else "the same data"
    if unknown:
        data += f" (of {', '.join(unknown)} not known)"
    parts = [
        data,
        f"the same SEMANTICS ({SEMANTICS})",
        "the same code" if a.origin.code == b.origin.code else "other code",
        "the same folds and seeds" if _splits(a) == _splits(b) else "other folds or seeds",
        f"other options in {len(changed)} cells" if changed else "the same options",
    ]
    return [f"A and B have {', '.join(parts)}", *_details(a, b, differing, changed)]


def _splits(run: ComparedRun) -> tuple[str, ...]:
    """The folds and the seeds of a run."""
    specs = [planned.spec for planned in run.suite.plan]
    found = {"fold": {spec.fold for spec in specs}, "seed": {spec.seed for spec in specs}}
    return tuple(f"{name} {', '.join(map(str, sorted(found[name])))}" for name in found)


def _details(
    a: ComparedRun, b: ComparedRun, differing: Sequence[str], changed: dict[Cell, str]
) -> list[str]:
    lines = [
        f"  data of {task}: fingerprint {' and '.join(a.origin.data[task])} in A, "
        f"{' and '.join(b.origin.data[task])} in B"
        for task in differing
    ]
    for what, ours, theirs in (
        ("code", a.origin.code, b.origin.code),
        ("machines", a.origin.machines, b.origin.machines),
        ("trials", _splits(a), _splits(b)),
    ):
        if ours != theirs:
            mark = "; their hours may not compare" if what == "machines" else ""
            lines.append(f"  {what}: {_listed(ours)} in A, {_listed(theirs)} in B{mark}")
    by_text: dict[str, list[str]] = {}
    for (task, method), text in changed.items():
        by_text.setdefault(text, []).append(f"{method} on {task}")
    return lines + [f"  {', '.join(cells)}: {text}" for text, cells in by_text.items()]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) or "not known"

"""One suite that plans what several plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from augbench.bench.plan.differences import difference_text, differences
from augbench.bench.plan.suite import PlannedTrial, Suite, read_suite
from augbench.datasets.errors import UserError

Place = tuple[str, str, int, int]


def merge_suites(named: Mapping[str, Suite]) -> Suite:
    """The suite of all tasks, methods, folds and seeds of some suites; ``named`` as errors say it.

    It plans every trial of each under the same labels, and more where folds, seeds or tasks of
    methods differ. Limits of total hours add up; resources are those of the first.
    UserError: a label has other options in two of them, or two labels are one trial.
    """
    first, *others = named.values()
    tables = dict(first.resolved)
    for suite in others:
        tables = _joined(tables, suite.resolved)
    for key, values in (("folds", _folds), ("seeds", _seeds)):
        found = [values(suite) for suite in named.values()]
        if any(each != found[0] for each in found):
            tables[key] = sorted(set().union(*found))
    tables["name"] = "-and-".join(dict.fromkeys(suite.name for suite in named.values()))
    if others and "total_device_hours" in tables:
        totals = [suite.total_device_hours for suite in named.values()]
        del tables["total_device_hours"]
        if None not in totals:
            tables["total_device_hours"] = sum(total for total in totals if total is not None)
    merged = read_suite(tables, f"the merged suite of {' and '.join(named)}")
    _check_same_trials(merged, named)
    return merged


def _joined(tables: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both suites' tasks, methods and searches; of one label the table that came first."""
    methods = dict(more["methods"])
    if more.get("budget", {}) != tables.get("budget", {}):
        methods = {key: {"budget": more.get("budget", {}), **own} for key, own in methods.items()}
    joined = {
        **tables,
        "tasks": {**more["tasks"], **tables["tasks"]},
        "methods": {**methods, **tables["methods"]},
    }
    for key in ("tasks", "methods"):  # in the order of their first appearance
        joined[key] = {label: joined[key][label] for label in (*tables[key], *joined[key])}
    if "searches" in tables or "searches" in more:
        joined["searches"] = {**more.get("searches", {}), **tables.get("searches", {})}
    return joined


def _folds(suite: Suite) -> list[int]:
    return list(dict.fromkeys(planned.spec.fold for planned in suite.plan))


def _seeds(suite: Suite) -> list[int]:
    return list(dict.fromkeys(planned.spec.seed for planned in suite.plan))


def _check_same_trials(merged: Suite, named: Mapping[str, Suite]) -> None:
    """Compare what the labels mean in each suite with what they mean in the merged one."""
    specs = {_place(planned): planned for planned in merged.plan}
    for name, suite in named.items():
        for planned in suite.plan:
            ours = specs[_place(planned)]
            if ours.spec.unit != planned.spec.unit:
                others = _other_runs(planned, name, named)
                found = difference_text(differences(ours.spec, planned.spec), others, name)
                raise UserError(
                    f"{planned.method!r} on {planned.task!r} means other options in {name} than in "
                    f"{others} ({found}): give the label another name in one of the suites and run "
                    "it again, which finds what is finished by its options"
                )
        for label, search in suite.searches.items():
            if merged.searches[label] != search:
                raise UserError(
                    f"[searches.{label}] of {name} is another search than in the other runs: "
                    "give one of the methods another label"
                )


def _other_runs(planned: PlannedTrial, name: str, named: Mapping[str, Suite]) -> str:
    """The other runs from which the merged suite has the table of the task or of the method."""
    by_task = next(n for n, s in named.items() if planned.task in s.resolved["tasks"])
    by_method = next(n for n, s in named.items() if planned.method in s.resolved["methods"])
    return " and ".join(n for n in dict.fromkeys((by_task, by_method)) if n != name)


def _place(planned: PlannedTrial) -> Place:
    return planned.task, planned.method, planned.spec.fold, planned.spec.seed


def n_new_trials(merged: Suite, suites: Sequence[Suite]) -> int:
    """How many trials of the merged suite none of the others plans."""
    known = {_place(planned) for suite in suites for planned in suite.plan}
    return sum(_place(planned) not in known for planned in merged.plan)

"""The plug-ins of a run: the rows of other packages that its suite names, kept in its directory."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.files import write_json
from augbench.bench.store.run_directory import RunDirectory, plugin_record
from augbench.bench.terminal import print_line
from augbench.datasets import known_tasks
from augbench.datasets.plugins import Plugin, Rows
from augbench.methods import known_methods
from augbench.methods.transforms.bank import known_transforms


def keep_plugins(
    run: RunDirectory, plan: Sequence[PlannedTrial], transforms: Iterable[str], console: Console
) -> None:
    """Write down the plug-ins that a plan names; the units of the run load these and no other.

    ``transforms`` are those of all tasks that were loaded. Says which plug-ins have changed since
    the run began.
    """
    former = {(each.group, each.name): each for each in run.plugins()}
    kept = dict(former)
    specs = {id(planned.spec.task): planned.spec.task for planned in plan}.values()
    listed = {name for spec in specs for name in spec.transforms or ()}
    for table, names in (
        (known_methods(), {planned.spec.method for planned in plan}),
        (known_tasks(), {spec.task for spec in specs}),
        (known_transforms(), {*transforms, *listed}),
    ):
        kept |= {(each.group, each.name): each for each in _plugins(table, names)}
    for key, plugin in kept.items():
        was = former.get(key, plugin)
        if (was.package, was.code) != (plugin.package, plugin.code):
            print_line(console, _changed(was, plugin))
    if kept:
        write_json(run.plugins_file, plugin_record(kept.values()))


def _plugins(table: Rows[Any], names: Iterable[str]) -> Iterable[Plugin]:
    """Those of the names that packages add."""
    found = [table.plugin(name) for name in sorted(names) if name in table]
    return [each for each in found if each is not None]


def _changed(was: Plugin, now: Plugin) -> str:
    what = "" if was.source != now.source else "other code of "
    return (
        f"{now.what} has changed since the run began (it was {was.source}, it is {what}"
        f"{now.source}): finished work keeps its results, all other is done by the new code; to "
        "have one code for all of it, run the suite into another folder with --out"
    )

"""Merges run directories into a new one that holds the units of all of them."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from augbench.bench.merge.choice import choose_units
from augbench.bench.merge.source import Source, not_written, read_source
from augbench.bench.merge.write import check_same_merge, write_merged
from augbench.bench.plan.suite import Suite
from augbench.bench.plan.union import merge_suites, n_new_trials
from augbench.bench.store.open_run import open_run
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets.errors import UserError, counted


@dataclass(frozen=True)
class Merged:
    """A merged run: its directory and suite, and what its user should know, in sentences."""

    run: RunDirectory
    suite: Suite
    notes: tuple[str, ...]


def merge_runs(paths: Sequence[Path], out: Path) -> Merged:
    """Copy the units of some runs into a new run directory, whose suite plans what they all plan.

    The runs stay as they are. Units that their suites do not plan are left out. Of a unit that
    several have, the finished one is taken, else the one that is furthest. ``out`` appears as a
    whole or not at all; if it is already the merge of the same runs as they are now, it stays.
    UserError: fewer than two runs, a run of another version, one that a driver is writing, one with
    a damaged unit, runs of other data or other options under one label, one unit with two results,
    or ``out`` holds something else or lies in one of the runs.
    """
    if len(paths) < 2:
        raise UserError("merge takes two run directories or more")
    _check_place(out, paths)
    distinct = {path.resolve(): path for path in reversed(paths)}
    with ExitStack() as locks:
        sources = []
        for path in dict.fromkeys(distinct[path.resolve()] for path in paths):
            locks.enter_context(not_written(path))
            sources.append(read_source(path))
        suite = merge_suites({str(source.path): source.suite for source in sources})
        check_same_data(sources)
        chosen, n_twice = choose_units(sources)
        notes = notes_on(sources, suite, n_twice)
        contents = [source.content for source in sources]
        if out.exists() and any(out.iterdir()):
            check_same_merge(out, contents)
            notes = (f"{out} already holds these runs as they are: nothing to do", *notes)
            return Merged(*open_run(out), notes)
        write_merged(out, suite, sources, chosen, contents)
    return Merged(RunDirectory(out), suite, notes)


def _check_place(out: Path, paths: Sequence[Path]) -> None:
    for path in paths:
        if out.resolve() == path.resolve():
            raise UserError(f"{out} is one of the runs: choose a new folder with -o")
        if out.resolve().is_relative_to(path.resolve()):
            raise UserError(f"{out} lies in the run {path}: choose a folder outside of it with -o")
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file: choose a new folder with -o")


def check_same_data(sources: Sequence[Source]) -> None:
    """Raise a UserError if two runs have other data under the label of one task."""
    users: dict[str, dict[str, str]] = {}
    for source in sources:
        for label, found in source.origin.data.items():
            users[label] = {**users.get(label, {}), **found}
    for label, by_data in users.items():
        if len(by_data) > 1:
            (one, first), (other, second), *_ = by_data.items()
            raise UserError(
                f"task {label!r} has other data in {first} (fingerprint {one}) than in {second} "
                f"({other}): only runs of the same data fit together"
            )


def notes_on(sources: Sequence[Source], suite: Suite, n_twice: int) -> tuple[str, ...]:
    """What the user of several runs should know, in sentences."""
    notes = [
        f"{source.path}: {counted(len(source.units), 'unit')}"
        + (f" ({source.n_out_of_view} more left out: not planned, or of a damaged trial)")
        * (source.n_out_of_view > 0)
        for source in sources
    ]
    if n_twice:
        notes.append(
            f"several of the runs hold {counted(n_twice, 'finished unit')}, with the same results: "
            "the first run's costs count"
        )
    for what, found in (
        ("hours were measured on several machines", [s.origin.machines for s in sources]),
        ("the code was not the same", [s.origin.code for s in sources]),
    ):
        names = list(dict.fromkeys(name for each in found for name in each))
        if len(names) > 1:
            notes.append(f"{what}: {'; '.join(names)}")
    if n_new := n_new_trials(suite, [source.suite for source in sources]):
        notes.append(
            f"folds, seeds, tasks or methods of the runs are not the same: {n_new} of "
            f"{len(suite.plan)} trials are in none of them, and so to do"
        )
    return tuple(notes)

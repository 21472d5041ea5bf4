"""Several runs seen as one while they are read: nothing of them is copied or locked."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from augbench.bench.merge.choice import choose_units
from augbench.bench.merge.merge import check_same_data, notes_on
from augbench.bench.merge.source import read_source
from augbench.bench.merge.write import write_records
from augbench.bench.plan.union import merge_suites
from augbench.bench.store.run_directory import RunDirectory


@dataclass(frozen=True)
class View:
    """A run directory that holds links to the units of several runs."""

    path: Path
    notes: tuple[str, ...]  # what its reader should know, in sentences


@contextmanager
def view_of(paths: Sequence[Path]) -> Iterator[View]:
    """One run directory that shows what `merge_runs` would write, for as long as it is needed.

    Unlike there the runs may be under way, and units may be damaged. UserError: a run of another
    version, runs of other data or other options under one label, or one unit with two results.
    """
    distinct = {path.resolve(): path for path in reversed(paths)}
    sources = [
        read_source(path, checked=False)
        for path in dict.fromkeys(distinct[path.resolve()] for path in paths)
    ]
    suite = merge_suites({str(source.path): source.suite for source in sources})
    check_same_data(sources)
    chosen, n_twice = choose_units(sources)
    with tempfile.TemporaryDirectory(prefix="augbench-view-") as folder:
        view = RunDirectory(Path(folder))
        for unit, source in chosen.items():
            link = view.unit(unit).path
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(source.path.resolve())
        origins = [{"path": str(source.path.resolve())} for source in sources]
        write_records(view, suite, sources, chosen, origins)
        yield View(view.path, notes_on(sources, suite, n_twice))

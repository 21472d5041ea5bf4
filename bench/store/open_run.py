"""Opens a run directory for whoever reads it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from augbench.bench.plan.spec import SEMANTICS
from augbench.bench.plan.suite import PlannedTrial, Suite, read_suite
from augbench.bench.store.files import DamagedError, read_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets.errors import UserError
from augbench.datasets.plugins import pinned


def open_run(path: Path) -> tuple[RunDirectory, Suite]:
    """A run directory, and the suite that was last run into it.

    Raises a UserError if the path is no run directory, has another version's layout, or holds
    nothing but trials of another version.
    """
    run = RunDirectory(path)
    header = run.header()
    with pinned(run.plugins()):
        suite = read_suite(header["suite"], str(run.header_file))
    if not any(run.unit(planned.spec.unit).path.exists() for planned in suite.plan):
        check_semantics(run, suite.plan)
    return run, suite


def check_semantics(run: RunDirectory, plan: Sequence[PlannedTrial]) -> None:
    """Raise a UserError if trials of a plan may be there as another version of augbench knows them.

    Such trials are not read: their names follow from what a spec meant then.
    """
    skipped = run.skipped()
    units = [planned.spec.unit for planned in plan]
    if all(unit.digest in skipped or run.unit(unit).path.exists() for unit in units):
        return
    for file in sorted(run.path.glob("trials/*/spec.json")):
        with suppress(DamagedError, FileNotFoundError):
            semantics = read_json(file).get("semantics")
            if semantics != SEMANTICS:
                raise UserError(
                    f"{run.path} holds trials of SEMANTICS {semantics}, this version of augbench "
                    f"reads {SEMANTICS} only: use the version that wrote it, or run its suite "
                    "again with this one, into another directory"
                )

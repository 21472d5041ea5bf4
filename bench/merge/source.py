"""A run that is to be merged: read while no driver writes it, and checked."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from augbench.bench.plan.spec import Kind, UnitId, record_digest
from augbench.bench.plan.suite import Suite
from augbench.bench.store.damage import changed_files
from augbench.bench.store.files import ASIDE, UNIT_KINDS, BusyError, DamagedError, damaged
from augbench.bench.store.open_run import check_semantics, open_run
from augbench.bench.store.origin import Origin, read_origin, units_in_view
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import unit_state
from augbench.bench.store.unit_directory import UnitDirectory


@dataclass(frozen=True)
class Source:
    """A run that is merged, as it is while its lock is held."""

    path: Path
    run: RunDirectory
    suite: Suite
    units: dict[UnitId, UnitDirectory]
    origin: Origin
    n_out_of_view: int  # trials and retrainings that are not planned, or whose trial cannot be read

    @property
    def content(self) -> str:
        """A digest of its suite and of how far each of its units is."""
        progress = {str(unit): _progress(folder) for unit, folder in self.units.items()}
        return record_digest({"suite": self.suite.resolved, "units": progress})


@contextmanager
def not_written(path: Path) -> Iterator[None]:
    """Keep drivers from a run while it is read; a BusyError if one holds it."""
    file = path / "lock"
    if not file.is_file():
        yield
        return
    with file.open(encoding="utf-8") as lock:  # only read: it may be another user's
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "nobody known"
            raise BusyError(
                f"{path} is being written by a driver (held by {holder}): wait for its end"
            ) from None
        yield


def read_source(path: Path, *, checked: bool = True) -> Source:
    """A run with all its units, each of them checked, whole models too, unless that is not wanted.

    Raises a UserError if it is no run of this version and, where units are checked, if one is
    damaged or being worked on.
    """
    run, suite = open_run(path)
    check_semantics(run, suite.plan)
    units = {}
    for _, folder in units_in_view(run, suite.plan, skip_damaged=not checked):
        unit = _unit_id(folder)
        if unit.kind == "samplings" and unit_state(folder)[0] == "damaged":
            continue  # its trial does it itself, or has done so
        if checked:
            _check_unit(folder)
        units[unit] = folder
    for planned in suite.plan:  # a damaged one may not say what it asks for
        folder = run.unit(planned.spec.unit)
        if folder.path.exists():
            units[planned.spec.unit] = folder
    n_out_of_view = _n_held(path) - sum(unit.kind != "samplings" for unit in units)
    return Source(path, run, suite, units, read_origin(run, suite.plan), n_out_of_view)


def _n_held(path: Path) -> int:
    """How many trials and retrainings a run holds.

    Samplings belong to their trial: one that cannot be read does not name them.
    """
    return sum(
        ASIDE not in folder.name
        for kind in UNIT_KINDS
        if kind != "samplings"
        for folder in (path / kind).glob("*")
        if folder.is_dir()
    )


def _unit_id(folder: UnitDirectory) -> UnitId:
    return UnitId(cast(Kind, folder.path.parent.name), folder.path.name)


def _check_unit(folder: UnitDirectory) -> None:
    """Raise a UserError for a unit that is damaged, or that a process works on."""
    state, reason = unit_state(folder)
    if state == "damaged":
        raise DamagedError(reason)
    if state == "running":
        raise BusyError(f"a process works on {folder.path}: wait for its end")
    for file in changed_files(folder):
        raise damaged(file, "its content has changed")


def _progress(unit: UnitDirectory) -> list[object]:
    result = unit.result()
    if result is not None:
        return [result["record_digest"]]
    return [len(unit.attempts()), unit.points_size(), unit.failure()]

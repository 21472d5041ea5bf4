"""The reference engine: one unit after the other in this process. Imports no Ray."""

import errno

import torch

from augbench.bench.engines.engine import Ending, Outcome
from augbench.bench.plan.spec import UnitId
from augbench.bench.store.files import BusyError
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.work import Host, do_unit
from augbench.datasets.errors import UserError, system_error

# What trying again does not mend: a full disk, a missing right, a disk that is read only.
_LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


class InlineEngine:
    """Does a unit when it is waited for."""

    slots = 1

    def __init__(self, run: RunDirectory, host: Host) -> None:
        self._run, self._host = run, host
        self._queue: list[UnitId] = []

    def submit(self, unit: UnitId) -> None:
        """Keep the unit for the next `wait`."""
        self._queue.append(unit)

    def wait(self, seconds: float) -> list[Outcome]:
        """Do what was submitted."""
        outcomes = [attempt(self._run, unit, self._host) for unit in self._queue]
        self._queue.clear()
        return outcomes

    def close(self) -> None:
        """Nothing is held."""


def attempt(run: RunDirectory, unit: UnitId, host: Host) -> Outcome:
    """Do a unit and say how it ended; every exception but a Ctrl-C becomes an outcome."""
    try:
        do_unit(run, unit, host)
    except BusyError as error:  # a ghost, which may not live for long: as a crash
        return Outcome(unit, "crashed", str(error))
    except UserError as error:
        return Outcome(unit, "refused", str(error))
    except (MemoryError, torch.OutOfMemoryError) as error:  # perhaps another took it: as a crash
        return Outcome(unit, "crashed", f"out of memory ({type(error).__name__}: {error})")
    except OSError as error:
        ending: Ending = "refused" if error.errno in _LASTING else "failed"
        return Outcome(unit, ending, system_error(error))
    except Exception as error:
        return Outcome(unit, "failed", f"{type(error).__name__}: {error}")
    return Outcome(unit, "done")

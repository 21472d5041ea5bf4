"""The reference engine: it does one unit after the other in this process, without Ray."""

import errno

import torch

from augbench.bench.engines.engine import Ending, Outcome
from augbench.bench.plan.spec import UnitId
from augbench.bench.store.files import BusyError
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.datasets.errors import UserError, system_error

# Trying again does not help here: a full disk, a missing permission, a read-only disk.
_LASTING = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}


class InlineEngine:
    """Does the submitted units when `wait` is called."""

    slots = 1

    def __init__(self, run: RunDirectory, host: Host) -> None:
        self._run, self._host = run, host
        self._queue: list[UnitId] = []

    def submit(self, unit: UnitId) -> None:
        """Keep the unit for the next call of `wait`."""
        self._queue.append(unit)

    def wait(self, seconds: float) -> list[Outcome]:
        """Do the units that were submitted."""
        outcomes = [attempt(self._run, unit, self._host) for unit in self._queue]
        self._queue.clear()
        return outcomes

    def close(self) -> None:
        """Do nothing: nothing is held."""


def attempt(run: RunDirectory, unit: UnitId, host: Host) -> Outcome:
    """Do a unit and return how it ended; every exception except a Ctrl-C becomes an outcome."""
    try:
        do_unit(run, unit, host)
    except BusyError as error:  # a process that was left behind and will end soon: as a crash
        return Outcome(unit, "crashed", str(error))
    except UserError as error:
        return Outcome(unit, "refused", str(error))
    except (MemoryError, torch.OutOfMemoryError) as error:  # others may free memory: as a crash
        return Outcome(unit, "crashed", f"out of memory ({type(error).__name__}: {error})")
    except OSError as error:
        ending: Ending = "refused" if error.errno in _LASTING else "failed"
        return Outcome(unit, ending, system_error(error))
    except Exception as error:
        return Outcome(unit, "failed", f"{type(error).__name__}: {error}")
    return Outcome(unit, "done")

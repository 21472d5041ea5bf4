"""Do one unit of work (a trial, a retraining, a sampling) from its last checkpoint to its end."""

import torch

from augbench.bench.plan.spec import UnitId
from augbench.bench.store.attempt import Attempt
from augbench.bench.store.attempt_log import has_stopped, start_event
from augbench.bench.store.files import (
    BusyError,
    hold_lock,
)
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.fault import Fault
from augbench.bench.unit.host import Host
from augbench.bench.unit.worker import Worker
from augbench.datasets.plugins import pinned

GHOST_SECONDS = 30.0  # how long to wait for a process that may still work on the unit


def do_unit(run: RunDirectory, unit: UnitId, host: Host) -> None:
    """Work on a unit until its result is written; if it was interrupted, go on from there.

    Raises a UserError for what the user can mend, and a SupersededError if another process has
    taken over the unit. The attempt's log records any other error too.
    """
    directory = run.unit(unit)
    torch.set_num_threads(host.threads)
    device = torch.device(host.device)
    busy = f"another process works on {unit}"
    # The worker of a killed driver may live a moment longer than its driver.
    with hold_lock(directory.path / "lock", busy, wait_seconds=GHOST_SECONDS):
        if directory.check() is not None:
            directory.points()  # raises a DamagedError if one is lost
            return
        attempts = directory.attempts()
        if attempts and not has_stopped(attempts[-1], GHOST_SECONDS):
            who = start_event(attempts[-1])
            raise BusyError(f"{busy} (process {who['process']} on {who['host']} is alive)")
        plugins, ledger = run.plugins(), Ledger(device)
        with (
            pinned(plugins),
            Attempt(
                directory, ledger, device=device, shared=host.shared, plugins=plugins
            ) as attempt,
        ):
            if directory.result() is None:  # an older process may have finished after all
                fault = Fault(attempt.directory)
                Worker(directory, unit, host, device, attempt, run, fault).run()

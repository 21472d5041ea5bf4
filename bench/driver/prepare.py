"""What can be known before any trial begins: bad input, and which methods are not for a task."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import torch

from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.attempt_log import checkpoint_fingerprint
from augbench.bench.store.files import DamagedError
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import involved
from augbench.bench.unit.job import check_data, load_task, trial_job
from augbench.datasets.errors import UserError
from augbench.methods.training.method import DoesNotFitError


def prepare(run: RunDirectory, plan: Sequence[PlannedTrial], data: Path) -> dict[UnitId, str]:
    """Load every task and build every method on it, so that bad input shows before any trial.

    Workers then find the caches warm and never download at the same time. Returns the trials whose
    method is not for their task, and why; raises a UserError if there are no others.
    """
    reasons: dict[tuple[str, str], str | None] = {}  # of tasks and methods; None where they fit
    for planned in plan:
        spec = planned.spec
        task = load_task(spec.task, data)
        if spec.fold >= task.n_folds:
            raise UserError(
                f"[tasks.{planned.task}] has {task.n_folds} folds; the suite asks for fold "
                f"{spec.fold}"
            )
        with suppress(DamagedError):  # it stops its own trial alone
            for unit in involved(run, spec):
                check_data(task, checkpoint_fingerprint(unit), unit.path)
        if (planned.task, planned.method) not in reasons:
            reasons[planned.task, planned.method] = _skip_reason(planned, data)
    if None not in reasons.values():
        raise UserError(_complaint(plan[0], reasons[plan[0].task, plan[0].method]))
    found = {planned.spec.unit: reasons[planned.task, planned.method] for planned in plan}
    return {unit: reason for unit, reason in found.items() if reason is not None}


def _skip_reason(planned: PlannedTrial, data: Path) -> str | None:
    """Why a method is not for a task; None where it is and can be built on it."""
    record = planned.spec.to_json()
    try:
        job = trial_job(record, data, device=torch.device("cpu"), meter=Ledger())
        job.setup.trunk()  # of which a search makes none before its first step
    except DoesNotFitError as error:
        return str(error)
    except UserError as error:
        raise UserError(_complaint(planned, error)) from error
    return None


def _complaint(planned: PlannedTrial, error: object) -> str:
    return f"{planned.method} on {planned.task}: {error}"

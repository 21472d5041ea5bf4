"""What can be known before any trial begins: bad input, and which methods are not for a task."""

import warnings
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import torch

from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.attempt_log import checkpoint_fingerprint
from augbench.bench.store.files import DamagedError
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import involved
from augbench.bench.unit.job import check_data, load_task, trial_job
from augbench.datasets.errors import UserError, UserNotice, counted
from augbench.datasets.parts import check_split, describe_split
from augbench.methods.training.method import DoesNotFitError


class Prepared(NamedTuple):
    """What is known of a plan before any trial begins."""

    skipped: dict[UnitId, str]  # trials whose method does not fit their task, and why
    splits: dict[str, str]  # by the label of a task: how its first fold is split, in a sentence
    transforms: frozenset[str] = frozenset()  # of the tasks that were loaded


def prepare(
    run: RunDirectory,
    plan: Sequence[PlannedTrial],
    data: Path,
    left: Collection[UnitId] | None = None,
) -> Prepared:
    """Load the tasks and build the methods on them, so that bad input shows before any trial.

    ``left`` are the trials of the plan that have work left, by default all: a task of which none
    is left is not loaded. Workers then find the caches warm and never download at the same time.
    Raises a UserError where no method of the plan fits its task; a UserNotice says which parts of
    the folds lack a class.
    """
    open_trials = [p for p in plan if left is None or p.spec.unit in left]
    reasons: dict[tuple[str, str], str | None] = {}  # of tasks and methods; None where they fit
    splits = {}
    transforms: set[str] = set()
    # A task at a time: few of them are kept in memory.
    for label in dict.fromkeys(planned.task for planned in open_trials):
        splits[label] = _check_task(run, label, plan, open_trials, data)
        for planned in open_trials:
            if planned.task == label and (label, planned.method) not in reasons:
                reasons[label, planned.method] = _skip_reason(planned, data)
                transforms.update(load_task(planned.spec.task, data).transforms)
    if all(reasons.get((planned.task, planned.method)) is not None for planned in plan):
        raise UserError(_complaint(plan[0], reasons[plan[0].task, plan[0].method]))
    found = {p.spec.unit: reasons[p.task, p.method] for p in open_trials}
    skipped = {unit: reason for unit, reason in found.items() if reason is not None}
    return Prepared(skipped, splits, frozenset(transforms))


def _check_task(
    run: RunDirectory,
    label: str,
    plan: Sequence[PlannedTrial],
    open_trials: Sequence[PlannedTrial],
    data: Path,
) -> str:
    """Compare the folds of a task, and all that the run has kept of it, with its data.

    Returns a sentence on how its first fold is split.
    """
    task = None
    for planned in plan:
        if planned.task != label:
            continue
        spec = planned.spec
        task = load_task(spec.task, data)
        if spec.fold >= task.n_folds:
            asked = {each.spec.fold for each in plan if each.task == label}
            raise UserError(_too_few_folds(label, spec.task.options, task.n_folds, asked))
        with suppress(DamagedError):  # it stops its own trial alone
            for unit in involved(run, spec):
                check_data(task, checkpoint_fingerprint(unit), unit.path)
    assert task is not None
    folds = {planned.spec.fold for planned in open_trials if planned.task == label}
    note = check_split(task, sorted(folds))
    if note is not None:
        warnings.warn(f"[tasks.{label}]: {note}", UserNotice, stacklevel=3)
    return describe_split(task, min(folds))


def _too_few_folds(label: str, options: dict[str, Any], n_folds: int, asked: set[int]) -> str:
    """What to do where a suite asks for folds that its task does not have."""
    needed = max(asked) + 1
    folds = counted(needed, "fold") if len(asked) == needed else f"fold {needed - 1}"
    fewer = f"folds = {n_folds} or fewer" if len(asked) == needed else f"folds below {n_folds}"
    # Where the data have a split of their own, the option says nothing.
    more = f", or n_folds = {needed} to the task" if options.get("n_folds") == n_folds else ""
    return f"the suite asks for {folds} and task {label} has {n_folds}: give {fewer}{more}"


def _skip_reason(planned: PlannedTrial, data: Path) -> str | None:
    """Why a method is not for a task; None where it is and can be built on it."""
    record = planned.spec.to_json()
    try:
        job = trial_job(record, data, device=torch.device("cpu"), meter=Ledger())
        job.setup.trunk()  # a search builds none before its first step
    except DoesNotFitError as error:
        return str(error)
    except UserError as error:
        raise UserError(_complaint(planned, error)) from error
    return None


def _complaint(planned: PlannedTrial, error: object) -> str:
    return f"{planned.method} on {planned.task}: {error}"

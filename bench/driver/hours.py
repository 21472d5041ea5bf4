"""How many device hours a suite would take, from steps that are measured on a device at hand."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from math import inf
from pathlib import Path
from typing import NamedTuple

import torch

from augbench.bench.plan.spec import Budget, UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.phases import HarnessPhase
from augbench.bench.unit.job import FinalModel, build_method, make_setup
from augbench.bench.unit.rates import (
    MOST_SECONDS,
    Rates,
    charged_phases,
    measure,
    part_of,
    price,
)
from augbench.bench.unit.rehearsal import Step, retraining_steps, trial_steps
from augbench.methods import known_methods
from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import Method, Setup
from augbench.methods.training.retraining import retrain

N_POLICIES = 3  # that retrainings are measured under
EPOCHS_EACH = 2  # at a time


class NoEstimateError(Exception):
    """Why there is no number, in a few words."""


class TrialHours(NamedTuple):
    """Device hours that a method is charged for one trial and for all its retrainings."""

    trial: float
    retrainings: float
    capped: bool  # whether the budget ends the trial before its method does
    measured_seconds: float

    @property
    def total(self) -> float:
        return self.trial + self.retrainings


class Estimate(NamedTuple):
    """The hours of the trials of a method on a task."""

    task: str
    method: str
    n_trials: int
    hours: TrialHours | None
    reason: str  # why there is no number


def estimate_hours(
    plan: Sequence[PlannedTrial],
    skipped: Collection[UnitId],
    data: Path,
    device: str,
    *,
    threads: int = 1,
    say: Callable[[str], None],  # what is being measured
) -> list[Estimate]:
    """An estimate for each pair of task and method; all trials of a pair cost what its first does.

    No training stops early, and each point is a retraining of its own: both can only cost less.
    """
    torch.set_num_threads(threads)
    pairs: dict[tuple[str, str], list[PlannedTrial]] = {}
    for planned in plan:
        if planned.spec.unit not in skipped:
            pairs.setdefault((planned.task, planned.method), []).append(planned)
    estimates = []
    for (task, method), trials in pairs.items():
        say(f"measuring {method} on {task}")
        hours, reason = None, ""
        try:
            hours = trial_hours(trials[0], data, torch.device(device))
        except NoEstimateError as error:
            reason = str(error)
        estimates.append(Estimate(task, method, len(trials), hours, reason))
    return estimates


def trial_hours(planned: PlannedTrial, data: Path, device: torch.device) -> TrialHours:
    """Count the steps of a trial, measure some of them, and multiply.

    A search is measured at its beginning, but TPE's proposals get slower with their number: the
    first 400 of a search take about a minute of one core.
    Raises a NoEstimateError where no number can be given, a UserError for data that are missing.
    """
    spec, ledger = planned.spec, Ledger(device)
    setup = make_setup(spec.task, spec.fold, spec.seed, data, device=device, meter=ledger)[0]
    ends_in_model = known_methods()[spec.method].ends_in == "model"
    part = part_of(setup, ledger, whole_trainings=ends_in_model)
    steps = _counted(partial(trial_steps, spec, setup))
    build = partial(build_method, spec, part, spec.options)
    rates = _measured(build, part, ledger, "search", steps)
    taken, seconds = within_budget(steps, rates, spec.budget)
    policies = [step.policy for step in taken if step.policy is not None]
    capped = len(taken) < len(steps)
    hours = seconds / 3600
    if ends_in_model or not policies:
        return TrialHours(hours, 0.0, capped, ledger.seconds)
    n_points = len(policies) + (taken[-1].policy is None)  # a budget's end shows what there is
    each = _retraining_seconds(policies, setup, part, ledger) / 3600
    return TrialHours(hours, n_points * each, capped, ledger.seconds)


def within_budget(steps: Sequence[Step], rates: Rates, budget: Budget) -> tuple[list[Step], float]:
    """The steps that a budget of device hours leaves of a trial, and their charged seconds."""
    seconds = 0.0
    most = inf if budget.device_hours is None else 3600 * budget.device_hours
    for n, step in enumerate(steps):
        if seconds >= most:
            return list(steps[:n]), seconds
        seconds += price(step.costs, rates)
    return list(steps), seconds


def _retraining_seconds(
    policies: Sequence[Policy], setup: Setup, part: Setup, ledger: Ledger
) -> float:
    """Charged seconds of one retraining: the mean over a few of the policies."""
    steps = _counted(partial(retraining_steps, policies[0], setup))
    some = cycle(policies[:: max(1, len(policies) // N_POLICIES)][:N_POLICIES])
    quick = replace(part, training=replace(part.training, epochs=EPOCHS_EACH))

    def build() -> Method:
        return FinalModel(retrain(quick, next(some)))

    rates = _measured(build, part, ledger, "retrain", steps)
    return within_budget(steps, rates, Budget())[1]


def _counted(count: Callable[[], list[Step]]) -> list[Step]:
    try:
        return count()
    except Exception as error:  # a method of another package may need real samples
        what = f"{type(error).__name__}: {error}"
        raise NoEstimateError(f"its steps cannot be counted: {what}") from error


def _measured(
    build: Callable[[], Method],
    part: Setup,
    ledger: Ledger,
    phase: HarnessPhase,
    steps: Sequence[Step],
) -> Rates:
    needed = charged_phases(step.costs for step in steps)
    rates = measure(build, ledger, phase, needed, device=part.device)
    for name in needed - rates.keys():
        raise NoEstimateError(f"no step reached its phase {name!r} within {MOST_SECONDS:g} s")
    return rates

"""The policies that finished trials come to, as they were written."""

from collections.abc import Iterator, Sequence
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.points import best_point, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory


def read_best_policies(
    run: RunDirectory, plan: Sequence[PlannedTrial]
) -> Iterator[tuple[PlannedTrial, dict[str, Any]]]:
    """The record of the best policy of each finished trial that ends in policies.

    The best has the highest validation metric after its retraining. Records are those of
    `methods/policies/policy_json.py`. Damaged trials are left out.
    """
    return of_whole_trials(run, plan, _of_trial)


def _of_trial(
    run: RunDirectory, planned: PlannedTrial
) -> Iterator[tuple[PlannedTrial, dict[str, Any]]]:
    trial = run.unit(planned.spec.unit)
    best = None if trial.check() is None else best_point(run, planned.spec)
    if best is not None and best.row["kind"] == "policy":
        yield planned, trial.policy(best.row)

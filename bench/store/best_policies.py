"""The policies that finished trials come to, as they were written."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from augbench.bench.plan.select import select_trial
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import best_point, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials
from augbench.datasets.errors import UserError, counted
from augbench.methods import known_methods


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


def find_policy(
    path: Path,
    *,
    task: str | None = None,
    method: str | None = None,
    fold: int | Literal["best"] | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """The record of the best policy by validation of one finished trial of a run directory.

    ``fold`` "best" is the finished one whose best policy has the highest validation metric.

    Raises a UserError if the path is no run directory, a choice is left open, or the trial is not
    there, ends in a model, or has not finished.
    """
    run, suite = open_run(path)
    known = known_methods()
    searching = [each for each in suite.plan if known[each.spec.method].ends_in == "policy"]
    if not searching:
        raise UserError(f"no method of {path} ends in a policy; load_model reads models")
    if method is not None and method in {each.method for each in suite.plan}.difference(
        each.method for each in searching
    ):
        raise UserError(
            f"method {method!r} of {path} ends in a model, not in a policy: load_model reads it"
        )
    if fold == "best":
        planned = _best_fold(run, searching, task=task, method=method, seed=seed)
    else:
        planned = select_trial(searching, task=task, method=method, fold=fold, seed=seed)
    for _, record in _of_trial(run, planned):
        return record
    left = read_trials(run, [planned])[0]["retrainings_left"]
    waits = f" ({counted(left, 'retraining')} still to come)" if left else ""
    raise UserError(
        f"{planned.method} on {planned.task}, fold {planned.spec.fold}, has no finished policy in "
        f"{path} yet{waits}: augbench status says how far it is"
    )


def _best_fold(
    run: RunDirectory,
    plan: Sequence[PlannedTrial],
    *,
    task: str | None,
    method: str | None,
    seed: int | None,
) -> PlannedTrial:
    """Of the folds of one task, method and seed, the finished one of the best policy; or any."""

    def asked(planned: PlannedTrial) -> tuple[str, str, int]:
        return planned.task, planned.method, planned.spec.seed

    one_of_each = list({asked(each): each for each in plan}.values())
    chosen = asked(select_trial(one_of_each, task=task, method=method, seed=seed))
    folds = [each for each in plan if asked(each) == chosen]

    def valid(_: RunDirectory, planned: PlannedTrial) -> Iterator[tuple[float, PlannedTrial]]:
        if run.unit(planned.spec.unit).check() is not None:
            best = best_point(run, planned.spec)
            if best is not None:
                yield best.scores["valid"], planned

    known = list(of_whole_trials(run, folds, valid))
    return max(known, key=lambda each: each[0])[1] if known else folds[0]

"""Which retrainings the points of a trial ask for."""

from collections.abc import Iterable

from augbench.bench.plan.spec import EvaluationSpec, TrialSpec
from augbench.bench.store.records import Row
from augbench.bench.store.run_directory import RunDirectory


def evaluations(run: RunDirectory, spec: TrialSpec, rows: Iterable[Row]) -> list[EvaluationSpec]:
    """One evaluation for each policy among a trial's points, in their order.

    Raises a DamagedError for a policy that is damaged, or is not the one that its row names.
    """
    directory = run.unit(spec.unit)
    return [
        EvaluationSpec(spec.task, directory.policy(row), spec.fold, spec.seed)
        for row in rows
        if row["kind"] == "policy"
    ]

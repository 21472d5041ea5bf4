"""Which retrainings the points of a trial ask for."""

from collections.abc import Iterable
from typing import Any

from augbench.bench.plan.spec import EvaluationSpec, TrialSpec
from augbench.bench.store.files import read_json
from augbench.bench.store.run_directory import RunDirectory


def evaluations(
    run: RunDirectory, spec: TrialSpec, rows: Iterable[dict[str, Any]]
) -> list[EvaluationSpec]:
    """What the policies among a trial's points ask for, one each, in their order.

    Raises a DamagedError for a policy that is damaged.
    """
    folder = run.unit(spec.unit).policies
    files = [folder / f"{row['policy']}.json" for row in rows if row["kind"] == "policy"]
    return [EvaluationSpec(spec.task, read_json(file), spec.fold, spec.seed) for file in files]

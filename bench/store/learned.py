"""What trials have learned, point by point: operations of layers, shares of a policy."""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.points import identity_columns, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory


def read_learned(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per operation of an augmentation layer and point: what the layers have learned.

    Numbers that are not finite are left out: the last update of an epoch may diverge.
    """
    return list(of_whole_trials(run, plan, _trial_learned))


def _trial_learned(run: RunDirectory, planned: PlannedTrial) -> list[dict[str, Any]]:
    return [
        {
            **identity_columns(planned),
            "point": row["point"],
            "step": row["step"],
            "layer": number,
            "loss": row["learned"]["loss"],
            **operation,
        }
        for row in run.unit(planned.spec.unit).points()
        if isfinite(row["learned"].get("loss", inf))
        for number, layer in enumerate(row["learned"].get("layers", ()), 1)
        for operation in layer
        if all(isfinite(operation[key]) for key in ("weight", "magnitude", "value"))
    ]


def read_policies(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per transform of a policy and point: its share of all operations applied."""
    return list(of_whole_trials(run, plan, _trial_policies))


def _trial_policies(run: RunDirectory, planned: PlannedTrial) -> list[dict[str, Any]]:
    return [
        {
            **identity_columns(planned),
            "point": row["point"],
            "step": row["step"],
            "policy": row["policy"],
            "transform": transform,
            "share": share,
        }
        for row in run.unit(planned.spec.unit).points()
        for transform, share in row.get("shares", {}).items()
    ]

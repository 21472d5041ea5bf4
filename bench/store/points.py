"""Joins what trials and evaluations wrote into points of curves, with both readings of cost."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from augbench.bench.plan.suite import PlannedTrial, Suite, read_suite
from augbench.bench.store.accounts import Charge, add_charges, charged
from augbench.bench.store.attempt_log import start_event
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError
from augbench.bench.store.run_directory import RunDirectory, UnitDirectory


def open_run(path: Path) -> tuple[RunDirectory, Suite]:
    """A run directory and the suite that was last run into it.

    Raises a UserError if it is none, or has another version's layout.
    """
    run = RunDirectory(path)
    return run, read_suite(run.header()["suite"], str(run.header_file))


def read_points(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per scored artifact, ordered by the plan; its columns: analysis/frame.py.

    Paper reading: pretraining and search so far and this point's own retraining. Full reading:
    every retraining up to here; a policy that a trial shows twice is retrained once.
    """
    return _of_each(run, plan, _trial_points)


def _of_each(
    run: RunDirectory,
    plan: Sequence[PlannedTrial],
    read: Callable[[RunDirectory, PlannedTrial], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """The records of all trials; none of one that is skipped, or has a damaged file.

    `read_trials` names both.
    """
    skipped = run.skipped()
    records = []
    for planned in plan:
        with suppress(DamagedError):
            if planned.spec.unit.digest not in skipped:
                records += read(run, planned)
    return records


def _trial_points(run: RunDirectory, planned: PlannedTrial) -> list[dict[str, Any]]:
    return scored_points(run, planned, run.unit(planned.spec.unit).points())


def scored_points(
    run: RunDirectory, planned: PlannedTrial, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The records of those of a trial's rows whose scores and costs are known."""
    spec = planned.spec
    scored_by = iter(evaluations(run, spec, rows))
    retrained: dict[str, Charge] = {}
    records = []
    starts = _starts(run.unit(spec.unit))
    for row in rows:
        own = charged(row["costs"])
        paper = full = own
        scores = row
        if row["kind"] == "policy":
            evaluation = run.unit(next(scored_by).unit)
            result = evaluation.result()
            if result is None:
                break  # what comes after it has costs that are not known yet
            retrained[evaluation.path.name] = charged(result["costs"])
            starts += _starts(evaluation)
            paper = add_charges(own, retrained[evaluation.path.name])
            full = add_charges(own, *retrained.values())
            evaluated = evaluation.points()
            if not evaluated:
                continue  # the retraining diverged: it costs, but there is nothing to show
            scores = evaluated[0]
        records.append(
            {
                **identity_columns(planned),
                "point": row["point"],
                "step": row["step"],
                "kind": row["kind"],
                "metric": scores["metric"],
                "valid": scores["valid"],
                "test": scores["test"],
                "hours_paper": paper.seconds / 3600,
                "hours_full": full.seconds / 3600,
                "forward_paper": paper.forward,
                "forward_full": full.forward,
                "backward_paper": paper.backward,
                "backward_full": full.backward,
                **_machine(starts)._asdict(),
            }
        )
    return records


def read_learned(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per operation of an augmentation layer and point: what the layers have learned."""
    return _of_each(run, plan, _trial_learned)


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
        for number, layer in enumerate(row["learned"].get("layers", ()), 1)
        for operation in layer
    ]


def read_policies(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per transform of a policy and point: its share of all operations that fire."""
    return _of_each(run, plan, _trial_policies)


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
        for transform, share in row.get("masses", {}).items()
    ]


def identity_columns(planned: PlannedTrial) -> dict[str, Any]:
    """The columns that say which trial a record is of."""
    spec = planned.spec
    return {
        "task": planned.task,
        "method": planned.method,
        "fold": spec.fold,
        "seed": spec.seed,
        "trial": spec.unit.digest,
    }


class Machine(NamedTuple):
    """What a point's hours were measured on."""

    device: str
    shared: bool


def _starts(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they began."""
    found = map(start_event, directory.attempts())
    return [start for start in found if start]  # one may have died before it could


def _machine(starts: Sequence[dict[str, Any]]) -> Machine:
    """Of all attempts: hours of two devices are hours of neither."""
    devices = dict.fromkeys(str(start["device"]) for start in starts)
    return Machine(" + ".join(devices), any(start["shared"] for start in starts))

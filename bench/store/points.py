"""Joins what trials and evaluations wrote into points of curves, with both readings of costs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from augbench.bench.plan.spec import TrialSpec, UnitId
from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.accounts import (
    Charge,
    add_charges,
    charged,
    charged_cpu_seconds,
)
from augbench.bench.store.attempt_log import start_event
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import DamagedError, damaged
from augbench.bench.store.records import Row
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import sampling_units
from augbench.bench.store.unit_directory import UnitDirectory

Record = TypeVar("Record")

# Below so many charged seconds `busy` says nothing: a pause of the system weighs too much.
SHORTEST_SECONDS = 1.0


def read_points(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per scored artifact, in the order of the plan.

    The columns are those of analysis/tables/frame.py.

    Paper reading: pretraining and search so far, and this point's own retraining. Full reading:
    every retraining so far; a policy that a trial shows twice is retrained once. Both hold the
    validation that steers; the columns that end in ``_without_validation`` do not. ``hours_wall``
    is the full reading with the phases that are not charged.
    """
    return list(of_whole_trials(run, plan, _trial_points))


def of_whole_trials(
    run: RunDirectory,
    plan: Sequence[PlannedTrial],
    read: Callable[[RunDirectory, PlannedTrial], Iterable[Record]],
) -> Iterator[Record]:
    """What ``read`` finds in each trial but those that are skipped or damaged, in order.

    `read_trials` names these.
    """
    skipped = run.skipped()
    for planned in plan:
        found: list[Record] = []
        with suppress(DamagedError):
            if planned.spec.unit.digest not in skipped:
                found = list(read(run, planned))
        yield from found


def _trial_points(run: RunDirectory, planned: PlannedTrial) -> list[dict[str, Any]]:
    return scored_points(run, planned, run.unit(planned.spec.unit).points())


def scored_points(
    run: RunDirectory, planned: PlannedTrial, rows: Sequence[Row]
) -> list[dict[str, Any]]:
    """The records of those of a trial's rows whose scores and costs are known.

    Raises a DamagedError for a file of the trial, or of an evaluation, that is damaged.
    """
    directory = run.unit(planned.spec.unit)
    starts = _starts(directory)
    for sampling in sampling_units(run, planned.spec):
        with suppress(DamagedError):
            starts += _starts(sampling)
    machine = _machine(starts)
    identity = identity_columns(planned)
    retrained: dict[Path, _Paid] = {}
    records = []
    directory.check()
    for row, evaluation, scores in _scores(run, planned.spec, rows):
        paper = full = own = _paid(row["costs"])
        if evaluation is not None:
            if evaluation.path not in retrained:
                result = evaluation.check()
                assert result is not None
                retrained[evaluation.path] = _paid(result["costs"])
                starts += _starts(evaluation)
                machine = _machine(starts)
            paper = _sum([own, retrained[evaluation.path]])
            full = _sum([own, *retrained.values()])
        if scores is None:
            continue
        if "test" not in scores:
            raise damaged(directory.path, "the test split was not scored")
        records.append(
            {
                **identity,
                "point": row["point"],
                "step": row["step"],
                "kind": row["kind"],
                "metric": scores["metric"],
                "valid": scores["valid"],
                "test": scores["test"],
                **_cost_columns("paper", paper),
                **_cost_columns("full", full),
                "hours_wall": full.measured_seconds / 3600,
                "device": machine.device,
                "shared": machine.shared,
                "busy": _busy(full) if machine.device == "cpu" else 1.0,
            }
        )
    return records


def valid_metrics(run: RunDirectory, spec: TrialSpec, rows: Sequence[Row]) -> list[float]:
    """The validation metric of each scored point; `UnitDirectory.check` has passed the units."""
    scored = (scores for _, _, scores in _scores(run, spec, rows) if scores is not None)
    return [float(scores["valid"]) for scores in scored]


class BestPoint(NamedTuple):
    """The point of a trial with the highest validation metric, the older of equal ones."""

    row: Row  # the trial's own, which names the policy if there is one
    unit: UnitDirectory  # the trial, or the retraining of the policy: its model is the best
    scores: Row


def best_point(run: RunDirectory, spec: TrialSpec) -> BestPoint | None:
    """The best point so far of a trial; None if none is scored.

    Raises a DamagedError for a file of the trial, or of an evaluation, that is damaged.
    """
    trial = run.unit(spec.unit)
    best: BestPoint | None = None
    for row, evaluation, scores in _scores(run, spec, trial.points()):
        if scores is not None and (best is None or scores["valid"] > best.scores["valid"]):
            best = BestPoint(row, evaluation or trial, scores)
    return best


def _scores(
    run: RunDirectory, spec: TrialSpec, rows: Sequence[Row]
) -> Iterator[tuple[Row, UnitDirectory | None, Row | None]]:
    """For each row: the row, the evaluation of its policy (if any), and the row with the scores.

    There are no scores if the retraining diverged: it costs, but there is nothing to show. The
    first policy that is not evaluated yet ends it: costs of what follows are not known.
    """
    scored_by = iter(evaluations(run, spec, rows))
    known: dict[UnitId, Row | None] = {}
    for row in rows:
        if row["kind"] == "model":
            yield row, None, row
            continue
        unit = next(scored_by).unit
        evaluation = run.unit(unit)
        if unit not in known:
            if evaluation.result() is None:
                return
            known[unit] = next(iter(evaluation.points()), None)
        yield row, evaluation, known[unit]


class _Paid(NamedTuple):
    """What was charged, the part of it without validation, the processor's part; all measured."""

    charge: Charge
    without_validation: Charge
    cpu_seconds: float
    measured_seconds: float  # in all phases, charged or not


def _paid(costs: dict[str, dict[str, Any]]) -> _Paid:
    charge, validation = charged(costs), costs["validate"]
    rest = Charge(
        max(0.0, charge.seconds - validation["seconds"]),
        charge.forward - validation["forward"],
        charge.backward - validation["backward"],
    )
    measured = sum(cost["seconds"] for cost in costs.values())
    return _Paid(charge, rest, charged_cpu_seconds(costs), measured)


def _sum(parts: Sequence[_Paid]) -> _Paid:
    return _Paid(
        add_charges(*(part.charge for part in parts)),
        add_charges(*(part.without_validation for part in parts)),
        sum(part.cpu_seconds for part in parts),
        sum(part.measured_seconds for part in parts),
    )


def _cost_columns(reading: str, paid: _Paid) -> dict[str, float]:
    """The columns of a reading; nothing goes backward in validation."""
    charge, rest = paid.charge, paid.without_validation
    return {
        f"hours_{reading}": charge.seconds / 3600,
        f"forward_{reading}": charge.forward,
        f"backward_{reading}": charge.backward,
        f"hours_{reading}_without_validation": rest.seconds / 3600,
        f"forward_{reading}_without_validation": rest.forward,
    }


def identity_columns(planned: PlannedTrial) -> dict[str, Any]:
    """The columns that say which trial a record belongs to."""
    spec = planned.spec
    return {
        "task": planned.task,
        "method": planned.method,
        "fold": spec.fold,
        "seed": spec.seed,
        "trial": spec.unit.digest,
    }


class _Machine(NamedTuple):
    """What a point's hours were measured on."""

    device: str
    shared: bool


def _starts(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they began."""
    found = map(start_event, directory.attempts())
    return [start for start in found if start]  # one may have died before it could


def _machine(starts: Sequence[dict[str, Any]]) -> _Machine:
    """The machine of all attempts. Several devices are named together: hours do not compare."""
    devices = dict.fromkeys(str(start["device"]) for start in starts)
    return _Machine(" + ".join(devices), any(start["shared"] for start in starts))


def _busy(paid: _Paid) -> float:
    """The share of the charged time in which the processor worked for the trial: from 0 to 1.

    It is 1 where this cannot be told: on a GPU, for which a processor waits, and for less than
    SHORTEST_SECONDS. Each of several threads counts, so 1 does not mean that all were busy,
    but a share below 1 still means that none was for the rest of the time.
    """
    seconds = paid.charge.seconds
    return 1.0 if seconds < SHORTEST_SECONDS else min(1.0, paid.cpu_seconds / seconds)

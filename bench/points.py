"""Joins what trials and evaluations wrote into points of curves, with both readings of cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from bench.attempt import beats, ended, lifetime, resumptions, started
from bench.schedule import evaluations
from bench.spec import TrialSpec
from bench.store import DamagedError, RunDirectory, UnitDirectory
from bench.suite import PlannedTrial, Suite, read_suite

_URGENCY = ("failed", "running", "waiting", "diverged", "over budget", "done")
_CHARGED = ("pretrain", "search", "retrain")


class Charge(NamedTuple):
    """What a method is charged for."""

    seconds: float
    forward: int  # samples
    backward: int


def open_run(path: Path) -> tuple[RunDirectory, Suite]:
    """A run directory and the suite that was last run into it.

    Raises a UserError if it is none, or has another version's layout.
    """
    run = RunDirectory(path)
    return run, read_suite(run.header()["suite"], str(run.header_file))


def read_points(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per scored artifact, ordered by the plan; its columns are analysis.frame's.

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
    return _scored(run, planned, run.unit(planned.spec.unit).points())


def _scored(
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
            scored = evaluation.points()
            if not scored:
                continue  # the retraining diverged: it costs, but there is nothing to show
            scores = scored[0]
        records.append(
            {
                **_names(planned),
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
            **_names(planned),
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
            **_names(planned),
            "point": row["point"],
            "step": row["step"],
            "policy": row["policy"],
            "transform": transform,
            "share": share,
        }
        for row in run.unit(planned.spec.unit).points()
        for transform, share in row.get("masses", {}).items()
    ]


def _names(planned: PlannedTrial) -> dict[str, Any]:
    """The columns that say which trial a record is of."""
    spec = planned.spec
    return {
        "task": planned.task,
        "method": planned.method,
        "fold": spec.fold,
        "seed": spec.seed,
        "trial": spec.unit.digest,
    }


def read_trials(run: RunDirectory, plan: Sequence[PlannedTrial]) -> list[dict[str, Any]]:
    """One record per planned trial: its state, the points that are scored, what was wasted.

    A trial that has a damaged file has failed.
    """
    skipped = {
        digest: {"state": "skipped", "reason": reason} for digest, reason in run.skipped().items()
    }
    return [
        {**_names(planned), **_trial(run, planned), **skipped.get(planned.spec.unit.digest, {})}
        for planned in plan
    ]


def skip_lines(trials: Iterable[Mapping[Any, Any]]) -> list[str]:
    """A line for each reason that trials are skipped for: how many, of what, and the reason."""
    names: dict[str, list[str]] = {}
    for trial in trials:
        if trial["state"] == "skipped":
            names.setdefault(trial["reason"], []).append(f"{trial['method']} on {trial['task']}")
    return [
        f"{len(each)} skipped ({', '.join(dict.fromkeys(each))}): {reason}"
        for reason, each in names.items()
    ]


_NOT_BEGUN = {
    "state": "waiting",
    "points_scored": 0,
    "points_known": 0,
    "wasted_seconds": 0.0,
    "reason": "",
}


def _trial(run: RunDirectory, planned: PlannedTrial) -> dict[str, Any]:
    if not run.unit(planned.spec.unit).path.exists():  # one look: a plan can be long
        return _NOT_BEGUN
    try:
        rows = run.unit(planned.spec.unit).points()
        units = _involved(run, planned.spec, rows)
        states = [unit_state(unit) for unit in units]
        n_scored, n_known = len(_scored(run, planned, rows)), len(rows)
        wasted_seconds = sum(_wasted_seconds(unit) for unit in units)
    except DamagedError as error:
        states, n_scored, n_known, wasted_seconds = [("failed", str(error))], 0, 0, 0.0
    # What can still change comes first; a search that is over shows the state of its evaluations.
    state, reason = min(states, key=lambda s: _URGENCY.index(s[0]))
    return {
        "state": state,
        "points_scored": n_scored,
        "points_known": n_known,
        "wasted_seconds": wasted_seconds,
        "reason": reason,
    }


def involved(run: RunDirectory, spec: TrialSpec) -> list[UnitDirectory]:
    """The folders of a trial and of the evaluations that it has asked for."""
    return _involved(run, spec, run.unit(spec.unit).points())


def _involved(
    run: RunDirectory, spec: TrialSpec, rows: Sequence[dict[str, Any]]
) -> list[UnitDirectory]:
    asked = dict.fromkeys(each.unit for each in evaluations(run, spec, rows))
    return [run.unit(spec.unit), *map(run.unit, asked)]


def unit_state(directory: UnitDirectory) -> tuple[str, str]:
    """done, over budget, diverged, failed, running or waiting; and why, where there is a why."""
    result = directory.result()
    if result is not None:
        state, _, reason = str(result["state"]).partition(": ")
        return state, reason
    attempts = directory.attempts()
    if not attempts:
        return "waiting", ""
    ending = ended(attempts[-1])
    if ending and "error" in ending:
        return "failed", str(ending["reason"])
    if not ending and beats(attempts[-1]):
        return "running", ""
    return "waiting", "interrupted"


class Machine(NamedTuple):
    """What a point's hours were measured on."""

    device: str
    shared: bool


def _starts(directory: UnitDirectory) -> list[dict[str, Any]]:
    """What the attempts at a unit noted when they began."""
    found = map(started, directory.attempts())
    return [start for start in found if start]  # one may have died before it could


def _machine(starts: Sequence[dict[str, Any]]) -> Machine:
    """Of all attempts: hours of two devices are hours of neither."""
    devices = dict.fromkeys(str(start["device"]) for start in starts)
    return Machine(" + ".join(devices), any(start["shared"] for start in starts))


def _wasted_seconds(directory: UnitDirectory) -> float:
    """The newest attempt to resume knows what all before it lost."""
    lines = resumptions(directory)
    return float(lines[-1]["seconds"]) if lines else 0.0


def imbalance(directory: UnitDirectory) -> float:
    """Seconds that the accounts of a finished unit have too many; 0, but for rounding.

    All that its result says was measured, with what it says was wasted, is what the attempts before
    the last one lived, and what the last one measured.
    """
    result = directory.result()
    assert result is not None
    *earlier, last = [e for e in directory.attempts() if e.number <= result["attempt"]]
    seconds = sum(cost["seconds"] for cost in result["costs"].values())
    ending = ended(last)
    if ending is None:  # killed between its result and its last line
        kept = next(line["kept"] for line in last.log() if line["event"] == "resume")
        measured = seconds - kept
    else:
        measured = ending["measured"]
    said = seconds + result["wasted"]["seconds"]
    return float(said - sum(map(lifetime, earlier)) - measured)


def charged(costs: dict[str, dict[str, Any]]) -> Charge:
    """What of a unit's costs its method is charged for."""
    return Charge(*(sum(costs[phase][key] for phase in _CHARGED) for key in Charge._fields))


def add_charges(*charges: Charge) -> Charge:
    """The sum; nothing where there are none."""
    return Charge(*(sum(values) for values in zip(Charge(0.0, 0, 0), *charges, strict=True)))

"""Chooses the folder of each unit that several merged runs have."""

from collections.abc import Sequence

from augbench.bench.merge.source import Source
from augbench.bench.plan.spec import TrialSpec, UnitId, record_digest
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.files import DamagedError
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import samplings
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError


def choose_units(sources: Sequence[Source]) -> tuple[dict[UnitId, UnitDirectory], int]:
    """For each unit the folder to take, and how many units are finished in several runs."""
    chosen: dict[UnitId, UnitDirectory] = {}
    n_twice = 0
    for source in sources:
        for unit, folder in source.units.items():
            former = chosen.setdefault(unit, folder)
            if former is folder:
                continue
            if _rank(former)[0] and _rank(folder)[0]:
                _check_same_result(former, folder)
                n_twice += 1
            elif _rank(folder) > _rank(former):
                chosen[unit] = folder
    asked = {unit for trial, folder in chosen.items() for unit in _asked_by(trial, folder)}
    return {
        unit: folder
        for unit, folder in chosen.items()
        if unit.kind != "samplings" or unit in asked  # the other run's trial asked for it
    }, n_twice


def _asked_by(unit: UnitId, folder: UnitDirectory) -> list[UnitId]:
    """The samplings that a trial asks for; none if it cannot be read."""
    if unit.kind != "trials" or not folder.samplings_size():
        return []
    try:
        run, spec = RunDirectory(folder.path.parent.parent), TrialSpec.from_json(folder.spec())
        return [each.unit for each in samplings(run, spec)]
    except DamagedError:
        return []


def _check_same_result(one: UnitDirectory, other: UnitDirectory) -> None:
    ours, theirs = _outcome(one), _outcome(other)
    for name in [name for name in ours if name in theirs]:
        if ours[name] != theirs[name]:
            raise UserError(
                f"one unit has two results, {one.path} and {other.path}: their {name} differ; "
                "merge only one of both runs"
            )


def _outcome(unit: UnitDirectory) -> dict[str, str]:
    """What a finished unit has found, which no clock changes: in digests where it is much."""
    result = unit.result()
    assert result is not None
    rows = [{key: row[key] for key in row if key != "costs"} for row in unit.points()]
    outcome = {
        "points": record_digest({"rows": rows}),
        "ends": f"{result['state']} after {result['steps']} steps",
        "weights": result["weights"],
    }
    if "reached" in result:
        outcome["rewards"] = record_digest(result["reached"])
    predictions = unit.predictions_file()  # None in a run of an older version, which kept none
    return outcome if predictions is None else outcome | {"predictions": predictions[1]}


def _rank(unit: UnitDirectory) -> tuple[bool, bool, int, int]:
    """Of two folders of a unit, the one with the higher rank is taken; damaged ones have none."""
    try:
        step = max((int(pulse(attempt).get("step", 0)) for attempt in unit.attempts()), default=0)
        return unit.result() is not None, unit.failure() is None, len(unit.points()), step
    except DamagedError:
        return False, False, 0, 0

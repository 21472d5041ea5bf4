"""Chooses the folder of each unit that several merged runs have."""

from collections.abc import Sequence

from augbench.bench.plan.spec import UnitId, record_digest
from augbench.bench.store.attempt_log import pulse
from augbench.bench.store.merge_source import Source
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
            if former.result() is not None and folder.result() is not None:
                _check_same_result(former, folder)
                n_twice += 1
            elif _rank(folder) > _rank(former):
                chosen[unit] = folder
    return chosen, n_twice


def _check_same_result(one: UnitDirectory, other: UnitDirectory) -> None:
    ours, theirs = _outcome(one), _outcome(other)
    for name, value in ours.items():
        if theirs[name] != value:
            raise UserError(
                f"one unit has two results, {one.path} and {other.path}: their {name} differ; "
                "merge only one of both runs"
            )


def _outcome(unit: UnitDirectory) -> dict[str, str]:
    """The digests of what a finished unit has found, which no clock and no machine changes."""
    result = unit.result()
    assert result is not None
    rows = [{key: row[key] for key in row if key != "costs"} for row in unit.points()]
    return {
        "end": f"{result['state']} after {result['steps']} steps",
        "points": record_digest({"rows": rows}),
        "weights": result["weights"],
        # Runs of older versions kept no predictions; then the weights stand for them.
        "predictions": result.get("predictions_digest", "") and _predicted(unit),
    }


def _predicted(unit: UnitDirectory) -> str:
    kept = unit.predictions_file()
    return kept[1] if kept else ""


def _rank(unit: UnitDirectory) -> tuple[bool, bool, int, int]:
    """Of two folders of a unit, the one with the higher rank is taken."""
    step = max((int(pulse(attempt).get("step", 0)) for attempt in unit.attempts()), default=0)
    return unit.result() is not None, unit.failure() is None, len(unit.points()), step

"""A finished search, one of whose samplings has a damaged file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from augbench.bench.driver.backlog import pending
from augbench.bench.store.costs import WASTED, read_costs, read_energy
from augbench.bench.store.files import append_line
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import sampling_units
from augbench.bench.store.states import read_trials
from augbench.bench.store.unit_directory import UnitDirectory
from by_hand import end, model_row, opened, search_run


def damage_the_log(unit: UnitDirectory) -> None:
    (attempt,) = unit.attempts()
    attempt.log_file.write_text("{}\n" + attempt.log_file.read_text())


def damage_the_attempts(unit: UnitDirectory) -> None:
    (unit.path / "attempts" / "0002").write_text("")


def search(path: Path, taken: list[int]) -> RunDirectory:
    """Each unit has used 2 J in an attempt of 7 s; each sampling had lost 5 s before it."""
    run, (spec,) = opened(search_run(path, done=(0, 1, 2)))
    trial = run.unit(spec.unit)
    append_line(trial.attempts()[-1].points_file, model_row(1))
    end(trial, taken=taken)
    samplings = sampling_units(run, spec)
    resume = {"event": "resume", "step": 0, "kept": 0.0, "fingerprint": "f", "attempts": 1}
    ending = {"event": "end", "time": 0.0, "lived": 7.0, "joules": {"processors": 2.0}}
    for unit in samplings:
        append_line(unit.attempts()[-1].log_file, {**resume, "seconds": 5.0})
    for unit in (trial, *samplings):
        append_line(unit.attempts()[-1].log_file, ending)
    return run


@pytest.mark.parametrize("damage", [damage_the_log, damage_the_attempts])
@pytest.mark.parametrize(("taken", "seconds"), [([0, 1, 2], 5.0), ([], 7.0)])
def test_a_damaged_sampling_counts_nothing_and_leaves_the_trial_as_it_is(
    taken: list[int], seconds: float, damage: Callable[[UnitDirectory], None], tmp_path: Path
) -> None:
    run = search(tmp_path / "run", taken)
    plan = open_run(run.path)[1].plan

    def read() -> tuple[object, ...]:
        (trial,) = read_trials(run, plan)
        (wasted,) = [each["seconds"] for each in read_costs(run, plan) if each["phase"] == WASTED]
        (energy,) = read_energy(run, plan)
        assert trial["wasted_seconds"] == wasted
        return trial["state"], wasted, energy["processors"]

    points = read_points(run, plan)
    assert len(points) == 1
    assert read() == ("done", 3 * seconds, 8.0)
    damage(sampling_units(run, plan[0].spec)[0])
    assert read() == ("done", 2 * seconds, 6.0)
    assert read_points(run, plan) == points
    assert not pending(run, [plan[0].spec]).units

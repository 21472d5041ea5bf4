"""Rungs: where they are, who goes on, and what a unit has reached there."""

from pathlib import Path

import pytest

from augbench.bench.plan.spec import TrialSpec, UnitId
from augbench.bench.plan.suite import PlannedTrial, load_suite
from augbench.bench.search.rungs import best_valid_at, charges, mean_valid, promoted, rung_step
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit


@pytest.fixture
def planned(tiny: Path) -> dict[str, PlannedTrial]:
    """The trials of the first fold, by their method."""
    return {each.method: each for each in load_suite(tiny, ["folds=1"]).plan}


def work(run: RunDirectory, unit: UnitId, spec: TrialSpec, step: int | None) -> None:
    run.add_unit(unit, spec.to_json()).pause_after(step)
    do_unit(run, unit, Host(run.path, score_test=False))


def test_rungs_are_at_a_ninth_and_a_third_of_a_units_own_length(tiny: Path) -> None:
    def steps(*overrides: str) -> list[int | None]:
        spec = load_suite(tiny, overrides).plan[0].spec
        return [rung_step(spec, rung, Path()) for rung in (1, 2, 3)]

    assert steps() == [1, 3, None]
    assert steps("tasks.sinusoids.training.epochs=50") == [6, 17, None]
    assert steps("budget.steps=5") == [1, 2, None]
    assert steps("budget.steps=99") == [1, 3, None]


def test_a_third_goes_on_and_of_equals_the_older() -> None:
    assert promoted({0: 0.5}) == {0}
    assert promoted({0: 0.5, 1: 0.9, 2: 0.7, 3: 0.1}) == {1, 2}
    assert promoted({0: 0.5, 1: 0.5, 2: 0.5}) == {0}


def test_the_worth_of_a_trial_is_a_mean_with_its_standard_error() -> None:
    assert mean_valid([0.5, 0.7]) == pytest.approx((0.6, 0.1))
    assert mean_valid([0.5]) == (0.5, None)


def test_a_unit_has_reached_a_rung_once_it_is_there(
    tmp_path: Path, planned: dict[str, PlannedTrial]
) -> None:
    spec = planned["shift"].spec
    (tmp_path / "run").mkdir()
    run = RunDirectory(tmp_path / "run")
    assert best_valid_at(run, spec, 1) is None
    work(run, spec.unit, spec, 2)
    valids = [row["valid"] for row in run.unit(spec.unit).points()]
    assert len(valids) == 2
    assert best_valid_at(run, spec, 1) == valids[0]
    assert best_valid_at(run, spec, 2) == max(valids)
    assert best_valid_at(run, spec, 3) is None
    early = charges(run, [planned["shift"]])[str(spec.unit)]
    work(run, spec.unit, spec, None)
    valids = [row["valid"] for row in run.unit(spec.unit).points()]
    assert best_valid_at(run, spec, None) == best_valid_at(run, spec, 99) == max(valids)
    late = charges(run, [planned["shift"]])[str(spec.unit)]
    assert late.forward == 9 / 2 * early.forward
    assert late.seconds > early.seconds > 0


def test_a_policy_is_worth_what_its_retrainings_reach(
    tmp_path: Path, planned: dict[str, PlannedTrial]
) -> None:
    spec = planned["policies"].spec
    (tmp_path / "run").mkdir()
    run = RunDirectory(tmp_path / "run")
    work(run, spec.unit, spec, None)
    asked = evaluations(run, spec, run.unit(spec.unit).points())
    assert asked
    for evaluation in asked:
        assert best_valid_at(run, spec, None) is None
        run.add_unit(evaluation.unit, evaluation.to_json())
        do_unit(run, evaluation.unit, Host(run.path, score_test=False))
    rows = [row for each in asked for row in run.unit(each.unit).points()]
    assert best_valid_at(run, spec, None) == max(row["valid"] for row in rows)
    assert not any("test" in row for row in rows)
    paid = charges(run, [planned["policies"]])
    assert {str(each.unit) for each in asked} < set(paid)

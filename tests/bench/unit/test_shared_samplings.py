"""A trial that lets other workers do its samplings, and goes on without them where it must."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.plan.spec import Budget, Spec, TrialSpec
from augbench.bench.plan.suite import PlannedTrial, read_suite
from augbench.bench.store import checkpoint
from augbench.bench.store.accounts import accounting_error, wasted
from augbench.bench.store.attempt_log import lifetime
from augbench.bench.store.costs import WASTED, read_costs
from augbench.bench.store.evaluations import evaluations
from augbench.bench.store.files import append_line, write_json
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import samplings
from augbench.bench.store.states import read_trials
from augbench.bench.store.unit_directory import UnitDirectory, sealed
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.datasets.errors import UserError
from by_hand import START

OPTIONS: dict[str, dict[str, Any]] = {
    "autoaugment": {"n_startup": 2, "child_epochs": 2},
    "fast_autoaugment": {"n_startup": 2, "pretrain_epochs": 2},
}
every_search = pytest.mark.parametrize("name", OPTIONS)


def trial(name: str, **options: Any) -> TrialSpec:
    """Two batches, of three and of two samplings, with a point after each but the last."""
    chosen = {"parallel": 3, "n_samplings": 5, "samplings_per_point": 2, **OPTIONS[name], **options}
    tables = {
        "name": "shared",
        "folds": 1,
        "tasks": {"digits": {"valid_share": 0.8, "training": {"epochs": 2}}},
        "methods": {name: chosen},
    }
    return read_suite(tables, "here").plan[0].spec


def work_on(run: RunDirectory, spec: Spec, *, hands_out: bool = False) -> dict[str, Any] | None:
    """Do a unit as far as it goes; its result."""
    run.path.mkdir(exist_ok=True)
    run.add_unit(spec.unit, spec.to_json())
    do_unit(run, spec.unit, Host(run.path, hands_out=hands_out))
    return run.unit(spec.unit).result()


def seen(run: RunDirectory, spec: TrialSpec) -> list[Any]:
    """The rows of a trial and what its result says, but for what a clock says."""
    result = run.unit(spec.unit).result()
    assert result is not None
    plain = [{**row, "costs": counts(row["costs"])} for row in run.unit(spec.unit).points()]
    return [plain, result["state"], result["steps"], counts(result["costs"])]


def counts(costs: dict[str, Any]) -> dict[str, Any]:
    return {p: (cost["steps"], cost["forward"], cost["backward"]) for p, cost in costs.items()}


@every_search
@pytest.mark.parametrize("n_done", [0, 2, 3])
def test_what_nobody_has_done_a_trial_does_itself(name: str, n_done: int, tmp_path: Path) -> None:
    whole, shared, spec = (
        RunDirectory(tmp_path / "whole"),
        RunDirectory(tmp_path / "s"),
        trial(name),
    )
    assert work_on(whole, spec)
    assert work_on(shared, spec, hands_out=True) is None
    asked = samplings(shared, spec)
    assert [each.proposal["number"] for each in asked] == [0, 1, 2]
    for each in asked[:n_done]:
        assert work_on(shared, each)
    assert work_on(shared, spec)  # here nobody takes the second batch
    assert seen(shared, spec) == seen(whole, spec)
    assert abs(accounting_error(shared.unit(spec.unit))) < 1e-3


@every_search
def test_it_asks_for_each_batch_once(name: str, tmp_path: Path) -> None:
    run, spec = RunDirectory(tmp_path / "run"), trial(name)
    assert work_on(run, spec, hands_out=True) is None
    assert work_on(run, spec, hands_out=True) is None  # it has done the first batch itself
    assert [each.proposal["number"] for each in samplings(run, spec)] == [0, 1, 2, 3, 4]
    assert work_on(run, spec, hands_out=True)


@pytest.mark.parametrize("alone", ["one at a time", "a budget in steps", "a rung"])
def test_when_it_asks_nobody(alone: str, tmp_path: Path) -> None:
    run, spec = RunDirectory(tmp_path / "run"), trial("autoaugment")
    if alone == "one at a time":
        spec = trial("autoaugment", parallel=1)
    elif alone == "a budget in steps":
        spec = replace(spec, budget=Budget(steps=5))
    run.path.mkdir()
    directory = run.add_unit(spec.unit, spec.to_json())
    if alone == "a rung":
        directory.pause_after(5)
    result = work_on(run, spec, hands_out=True)
    assert (result is None) == (alone == "a rung")
    assert samplings(run, spec) == []


def test_a_budget_of_hours_counts_what_others_have_spent(tmp_path: Path) -> None:
    """Two seconds of a budget of one are those of a sampling."""
    run = RunDirectory(tmp_path / "run")
    spec = replace(trial("autoaugment"), budget=Budget(device_hours=1 / 3600))
    assert work_on(run, spec, hands_out=True) is None
    first, *_ = samplings(run, spec)
    result = work_on(run, first)
    assert result is not None
    result["costs"]["search"]["seconds"] += 2.0
    write_json(run.unit(first.unit).result_file, sealed(result))
    ended = work_on(run, spec)
    assert ended is not None
    assert ended["state"] == "over budget"
    assert ended["steps"] == 2  # of the first child


@pytest.mark.parametrize("tells", [True, False], ids=["", "an older checkpoint"])
def test_what_others_did_beyond_the_budget_is_wasted_once(tells: bool, tmp_path: Path) -> None:
    """The first sampling uses the budget up; the second is done, the third was only begun."""
    run = RunDirectory(tmp_path / "run")
    spec = replace(trial("autoaugment"), budget=Budget(device_hours=1 / 3600))
    plan = [PlannedTrial("digits", "autoaugment", spec)]
    assert work_on(run, spec, hands_out=True) is None
    if not tells:
        forget_what_was_counted(run.unit(spec.unit))
    first, second, third = samplings(run, spec)
    result = work_on(run, first)
    assert result is not None
    result["costs"]["search"]["seconds"] += 2.0
    write_json(run.unit(first.unit).result_file, sealed(result))
    assert work_on(run, second)
    begin(run.add_unit(third.unit, third.to_json()), lived=7.0)
    units = [run.unit(spec.unit), *(run.unit(each.unit) for each in (first, second, third))]
    assert wasted_in(run, plan) == pytest.approx(sum(map(wasted, units)))  # it may use them yet
    assert work_on(run, spec)
    (lived,) = map(lifetime, units[2].attempts())
    assert lived > 0
    assert wasted_in(run, plan) == pytest.approx(lived + 7.0)
    for each in evaluations(run, spec, run.unit(spec.unit).points()):
        assert work_on(run, each)
    (record,) = [each for each in read_costs(run, plan) if each["phase"] == WASTED]
    assert record["seconds"] == pytest.approx(lived + 7.0)


def wasted_in(run: RunDirectory, plan: list[PlannedTrial]) -> float:
    (found,) = read_trials(run, plan)
    return float(found["wasted_seconds"])


def begin(unit: UnitDirectory, *, lived: float) -> None:
    """An attempt that was killed."""
    attempt = unit.begin_attempt()
    append_line(attempt.log_file, START)
    write_json(attempt.pulse_file, {"time": 0.0, "lived": lived})


def test_what_a_trial_has_counted_survives_a_pause(tmp_path: Path) -> None:
    run, spec = RunDirectory(tmp_path / "run"), trial("autoaugment")
    plan = [PlannedTrial("digits", "autoaugment", spec)]
    assert work_on(run, spec, hands_out=True) is None
    for each in samplings(run, spec):
        assert work_on(run, each)
    assert work_on(run, spec, hands_out=True) is None  # it asks for the second batch
    ended = work_on(run, spec)
    assert ended is not None
    assert ended["taken"] == [0, 1, 2]
    assert wasted_in(run, plan) == pytest.approx(0.0)


@pytest.mark.parametrize("n_steps", [None, 3], ids=["after a batch", "within a batch"])
@every_search
def test_after_a_checkpoint_that_does_not_tell_what_was_counted_it_is_found_out(
    name: str, n_steps: int | None, tmp_path: Path
) -> None:
    """Others do the samplings 0, 2 and 4; the trial does 1 and 3. The third step lies before 2."""
    run, spec = RunDirectory(tmp_path / "run"), trial(name)
    plan = [PlannedTrial("digits", name, spec)]
    assert work_on(run, spec, hands_out=True) is None
    forget_what_was_counted(run.unit(spec.unit))
    first, _, third = samplings(run, spec)
    assert work_on(run, first)
    assert work_on(run, third)
    if n_steps is not None:
        run.unit(spec.unit).pause_after(n_steps)
        assert work_on(run, spec) is None
        forget_what_was_counted(run.unit(spec.unit))
        run.unit(spec.unit).pause_after(None)
    assert work_on(run, spec, hands_out=True) is None  # it asks for the second batch
    if n_steps is None:
        forget_what_was_counted(run.unit(spec.unit))
    assert work_on(run, samplings(run, spec)[4])
    ended = work_on(run, spec)
    assert ended is not None
    assert ended["taken"] == [0, 2, 4]
    assert wasted_in(run, plan) == pytest.approx(0.0)


def forget_what_was_counted(trial: UnitDirectory) -> None:
    """Make the checkpoints those of an older version."""
    for file in trial.path.glob("attempts/*/*.pt"):
        state = checkpoint.read(file)
        if state.pop("taken", None) is not None:
            checkpoint.write(file, state)


def test_a_trial_with_a_damaged_list_of_samplings_begins_anew(tmp_path: Path) -> None:
    run, whole, spec = (
        RunDirectory(tmp_path / "r"),
        RunDirectory(tmp_path / "w"),
        trial("autoaugment"),
    )
    assert work_on(run, spec, hands_out=True) is None
    file = run.unit(spec.unit).samplings_file
    file.write_text(file.read_text().replace("number", "numeral"))
    assert work_on(whole, spec)
    assert work_on(run, spec)
    assert seen(run, spec) == seen(whole, spec)
    assert not file.exists()


def test_a_list_of_samplings_that_was_lost_is_written_again(tmp_path: Path) -> None:
    """Without it nobody would know what other workers have spent."""
    run, spec = RunDirectory(tmp_path / "run"), trial("autoaugment")
    assert work_on(run, spec, hands_out=True) is None
    for each in samplings(run, spec):
        assert work_on(run, each)
    run.unit(spec.unit).samplings_file.unlink()
    assert work_on(run, spec, hands_out=True) is None
    assert [each.proposal["number"] for each in samplings(run, spec)] == [0, 1, 2]


@every_search
def test_a_sampling_that_has_no_trial_to_go_on_from_says_so(name: str, tmp_path: Path) -> None:
    run, spec = RunDirectory(tmp_path / "run"), trial(name)
    assert work_on(run, spec, hands_out=True) is None
    other = RunDirectory(tmp_path / "other")
    with pytest.raises(UserError, match="has no checkpoint that its sampling could go on from"):
        work_on(other, samplings(run, spec)[0])

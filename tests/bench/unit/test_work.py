"""One unit of work in this process: budgets, rows, costs, and going on after an interruption."""

import gc
import json
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import augbench.bench.unit.job
import augbench.bench.unit.worker
from augbench.bench.plan.spec import Budget, EvaluationSpec, TaskSpec, TrialSpec
from augbench.bench.plan.suite import load_suite
from augbench.bench.store import checkpoint
from augbench.bench.store.accounts import charged
from augbench.bench.store.attempt_log import lifetime, resume_events
from augbench.bench.store.files import write_json
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit import pace
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.datasets.errors import UserError
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import to_json
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.training import DivergedError


@pytest.fixture
def trial(small_suite: Path) -> TrialSpec:
    """The trial of the method ``none``."""
    return load_suite(small_suite).plan[0].spec


@pytest.fixture
def search(trial: TrialSpec) -> TrialSpec:
    """A search that has only begun when its budget ends."""
    options = {
        "n_samplings": 10,
        "samplings_per_point": 5,
        "n_startup": 10,
        "n_candidates": 24,
        "child_epochs": 1,
    }
    return replace(trial, method="autoaugment", options=options, budget=Budget(steps=3))


def work_on(
    folder: Path, spec: TrialSpec, *, score_test: bool = True, checkpoint_seconds: float = 0.0
) -> RunDirectory:
    """Do a trial; by default with a checkpoint after each step."""
    folder.mkdir(exist_ok=True)
    run = RunDirectory(folder)
    run.add_unit(spec.unit, spec.to_json())
    host = Host(folder, score_test=score_test, checkpoint_seconds=checkpoint_seconds)
    do_unit(run, spec.unit, host)
    return run


def result_of(run: RunDirectory, spec: TrialSpec) -> dict[str, Any]:
    result = run.unit(spec.unit).result()
    assert result is not None
    return result


def test_every_epoch_of_a_model_is_a_point(tmp_path: Path, trial: TrialSpec) -> None:
    run = work_on(tmp_path, trial)
    rows = run.unit(trial.unit).points()
    assert [(row["point"], row["step"], row["kind"]) for row in rows] == [
        (1, 1, "model"),
        (2, 2, "model"),
        (3, 3, "model"),
    ]
    forward = [row["costs"]["search"]["forward"] for row in rows]
    assert forward[0] > 0
    assert forward == [forward[0], 2 * forward[0], 3 * forward[0]]


def test_the_kept_model_is_the_best_by_validation(tmp_path: Path, trial: TrialSpec) -> None:
    run = work_on(tmp_path, trial)
    file = run.unit(trial.unit).model_file()
    assert file is not None
    kept = checkpoint.read(file)
    assert kept["digest"] == result_of(run, trial)["weights"]
    assert checkpoint.weights_digest(kept["weights"]) == kept["digest"]
    state = checkpoint.read(file.with_name("last.pt"))
    best = state["method"]["best_state"]
    assert checkpoint.weights_digest(best) == kept["digest"]


def test_a_finished_unit_is_not_touched_again(tmp_path: Path, trial: TrialSpec) -> None:
    run = work_on(tmp_path, trial)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    do_unit(run, trial.unit, Host(tmp_path))
    after = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*") if file.is_file()}
    after.pop(run.unit(trial.unit).path / "lock")
    before.pop(run.unit(trial.unit).path / "lock")
    assert after == before


def test_a_budget_of_steps_ends_a_trial(tmp_path: Path, trial: TrialSpec) -> None:
    spec = replace(trial, budget=Budget(steps=2))
    result = result_of(work_on(tmp_path, spec), spec)
    assert (result["state"], result["steps"], result["points"]) == ("over budget", 2, 2)


def test_a_budget_of_hours_ends_a_trial(tmp_path: Path, trial: TrialSpec) -> None:
    spec = replace(trial, budget=Budget(device_hours=1e-9))
    result = result_of(work_on(tmp_path, spec), spec)
    assert (result["state"], result["steps"]) == ("over budget", 1)


def test_the_phases_sum_to_the_time_of_the_attempt(tmp_path: Path, trial: TrialSpec) -> None:
    task = replace(trial.task, training={"epochs": 20, "patience": 20})
    spec = replace(trial, task=task)
    run = work_on(tmp_path, spec)
    costs = result_of(run, spec)["costs"]
    lived = lifetime(run.unit(spec.unit).attempts()[0])
    measured = sum(cost["seconds"] for cost in costs.values())
    assert measured <= lived
    assert measured >= 0.9 * lived


FIRST_STEP = """
import json, sys
from pathlib import Path
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit import pace
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit
from augbench.methods.autoaugment import AutoAugment

step = AutoAugment.step

def spy(self):
    before = set(sys.modules)
    ended = step(self)
    print(*sorted(set(sys.modules) - before))
    return ended

AutoAugment.step = spy
spec = TrialSpec.from_json(json.loads(sys.argv[1]))
run = RunDirectory(Path(sys.argv[2]))
run.add_unit(spec.unit, spec.to_json())
do_unit(run, spec.unit, Host(run.path))
"""


def test_a_search_pays_for_no_import(tmp_path: Path, search: TrialSpec) -> None:
    """What a fresh process does once comes before its clock: networks, optimizers, Optuna."""
    task = TaskSpec("sinusoids", {}, trunk="eegnet")  # of braindecode, whose import takes seconds
    record = replace(search, task=task, budget=Budget(steps=2)).to_json()
    words = [sys.executable, "-c", FIRST_STEP, json.dumps(record), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", ""]


WARM_UP = """
import json, sys
from pathlib import Path
import torch
from augbench.bench.store.ledger import Ledger
from augbench.bench.unit.job import trial_job, warm_up

cpu = torch.device("cpu")
job = trial_job(json.loads(sys.argv[1]), Path("."), device=cpu, meter=Ledger())
warm_up(job.setup)
assert "torch._dynamo" not in sys.modules
warm_up(job.setup, for_plugins=True)
assert "torch._dynamo" in sys.modules
"""


def test_torchs_compiler_is_imported_ahead_for_methods_of_other_packages_alone(
    trial: TrialSpec,
) -> None:
    """They may use an optimizer of torch's own, which imports it in their first step."""
    words = [sys.executable, "-c", WARM_UP, json.dumps(trial.to_json())]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_warming_up_leaves_no_trace(tmp_path: Path, trial: TrialSpec) -> None:
    meter = Ledger()
    task = replace(trial.task, trunk="layer13")  # which has dropout
    record = replace(trial, task=task).to_json()
    job = augbench.bench.unit.job.trial_job(
        record, tmp_path, device=torch.device("cpu"), meter=meter
    )
    generator, costs = torch.get_rng_state(), meter.state_dict()
    weights = checkpoint.weights_digest(job.setup.trunk().state_dict())
    augbench.bench.unit.job.warm_up(job.setup)
    assert torch.equal(torch.get_rng_state(), generator)
    assert meter.state_dict() == costs
    assert checkpoint.weights_digest(job.setup.trunk().state_dict()) == weights


def test_a_loss_that_is_no_number_is_a_result_and_no_crash(
    tmp_path: Path, trial: TrialSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(self: EndToEnd) -> bool:
        raise DivergedError("the training loss of epoch 1 is nan")

    monkeypatch.setattr(EndToEnd, "step", diverges)
    result = result_of(work_on(tmp_path, trial), trial)
    assert result["state"] == "diverged: the training loss of epoch 1 is nan"


def test_an_interrupted_trial_goes_on_to_the_same_bits(
    tmp_path: Path, trial: TrialSpec, interrupted: Callable[..., None]
) -> None:
    whole = work_on(tmp_path / "whole", trial)
    interrupted(lambda: work_on(tmp_path / "broken", trial), at=2)
    broken = work_on(tmp_path / "broken", trial)
    assert scores(broken, trial) == scores(whole, trial)
    assert result_of(broken, trial)["weights"] == result_of(whole, trial)["weights"]
    assert result_of(broken, trial)["wasted"]["attempts"] == 1


def test_a_row_lost_between_checkpoint_and_line_comes_back(
    tmp_path: Path, trial: TrialSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = work_on(tmp_path / "whole", trial)
    publish = augbench.bench.unit.worker.Worker._publish

    def dies(self: Any) -> None:
        if any(row["point"] == 2 for row in self.rows):
            raise RuntimeError("died before the line")
        publish(self)

    monkeypatch.setattr(augbench.bench.unit.worker.Worker, "_publish", dies)
    with pytest.raises(RuntimeError, match="before the line"):
        work_on(tmp_path / "broken", trial)
    monkeypatch.undo()
    broken = work_on(tmp_path / "broken", trial)
    assert scores(broken, trial) == scores(whole, trial)


@pytest.mark.parametrize("at", [2, 4, 6])
def test_steps_without_a_checkpoint_of_their_own_are_done_again(
    tmp_path: Path,
    trial: TrialSpec,
    interrupted: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    at: int,
) -> None:
    """Only the first step and the last have one; the points between come in one go."""
    monkeypatch.setattr(pace, "SHARE", 0.0)
    trial = replace(trial, task=replace(trial.task, training={"epochs": 6, "patience": 6}))
    whole = work_on(tmp_path / "whole", trial, checkpoint_seconds=1000.0)
    interrupted(lambda: work_on(tmp_path / "broken", trial, checkpoint_seconds=1000.0), at=at)
    broken = work_on(tmp_path / "broken", trial, checkpoint_seconds=1000.0)
    assert scores(broken, trial) == scores(whole, trial)
    assert [row["point"] for row in broken.unit(trial.unit).points()] == [1, 2, 3, 4, 5, 6]
    assert result_of(broken, trial)["weights"] == result_of(whole, trial)["weights"]
    (resumed,) = resume_events(broken.unit(trial.unit))[1:]
    assert resumed["step"] == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_dies_around_a_checkpoint_loses_no_earlier_step(
    trial: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Better weights are on the disk then that the checkpoint before knows nothing of."""
    whole = work_on(tmp_path / "whole", trial)
    save, n_saved = checkpoint.save, 0

    def dies(folder: Path, state: dict[str, Any]) -> None:
        nonlocal n_saved
        n_saved += 1
        if n_saved == 2:
            if moment == "after":
                save(folder, state)
            raise RuntimeError("died")
        save(folder, state)

    monkeypatch.setattr(checkpoint, "save", dies)
    with pytest.raises(RuntimeError, match="died"):
        work_on(tmp_path / "broken", trial)
    monkeypatch.undo()
    broken = work_on(tmp_path / "broken", trial)
    assert scores(broken, trial) == scores(whole, trial)
    (resumed,) = resume_events(broken.unit(trial.unit))[1:]
    assert resumed["step"] == (1 if moment == "before" else 2)
    files = broken.unit(trial.unit).path.glob("attempts/*/points.jsonl")
    points = [json.loads(line)["point"] for file in sorted(files) for line in file.open()]
    assert points == list(range(1, len(points) + 1))


def test_going_on_from_the_older_checkpoint_writes_no_row_twice(
    tmp_path: Path, trial: TrialSpec
) -> None:
    run = work_on(tmp_path, trial)
    rows = scores(run, trial)
    directory = run.unit(trial.unit)
    (directory.path / "result.json").unlink()
    last = directory.attempts()[-1].path / "last.pt"
    last.write_bytes(last.read_bytes()[:100])
    work_on(tmp_path, trial)
    assert scores(run, trial) == rows


def test_data_that_have_changed_are_noticed(tmp_path: Path, trial: TrialSpec) -> None:
    run = work_on(tmp_path, trial)
    directory = run.unit(trial.unit)
    (directory.path / "result.json").unlink()
    folder = directory.attempts()[-1].path
    state = checkpoint.read(folder / "last.pt")
    checkpoint.save(folder, state | {"fingerprint": "other"})
    with pytest.raises(UserError, match="have changed since"):
        do_unit(run, trial.unit, Host(tmp_path))


def test_without_scoring_the_test_split_a_unit_comes_to_the_same(
    tmp_path: Path, trial: TrialSpec, without_test_split: Callable[[], None]
) -> None:
    scored = work_on(tmp_path / "scored", trial)
    without_test_split()
    unscored = work_on(tmp_path / "unscored", trial, score_test=False)
    rows = scores(unscored, trial)
    assert rows == [{k: v for k, v in r.items() if k != "test"} for r in scores(scored, trial)]
    assert result_of(unscored, trial)["weights"] == result_of(scored, trial)["weights"]


@pytest.mark.parametrize("rungs", [(1, None), (1, 2, None), (3, None), (99,)])
def test_a_unit_that_pauses_at_rungs_comes_to_the_same(
    tmp_path: Path, trial: TrialSpec, rungs: tuple[int | None, ...]
) -> None:
    whole = work_on(tmp_path / "whole", trial)
    (tmp_path / "paused").mkdir()
    run = RunDirectory(tmp_path / "paused")
    directory = run.add_unit(trial.unit, trial.to_json())
    for rung in rungs:
        directory.pause_after(rung)
        for _ in range(2):  # a second attempt has nothing to do there
            do_unit(run, trial.unit, Host(tmp_path))
        paused = rung is not None and rung < 3
        assert len(directory.points()) == (rung if paused else 3)
        assert (directory.result() is None) == paused
    assert scores(run, trial) == scores(whole, trial)
    assert result_of(run, trial)["weights"] == result_of(whole, trial)["weights"]
    for name in ("steps", "forward", "backward"):
        costs = [result_of(each, trial)["costs"]["search"][name] for each in (run, whole)]
        assert costs[0] == costs[1]


def test_no_road_leads_from_the_setup_to_the_test_split(trial: TrialSpec, tmp_path: Path) -> None:
    job = augbench.bench.unit.job.trial_job(
        trial.to_json(), tmp_path, device=torch.device("cpu"), meter=Ledger()
    )
    example = job.test.x[0]
    tensors = [each for each in reachable(job.setup) if isinstance(each, torch.Tensor)]
    assert any(each is job.setup.views.train.x for each in tensors)
    for tensor in tensors:
        if tensor.shape[1:] == example.shape:
            assert not (tensor == example).flatten(1).all(1).any()


def reachable(root: object) -> list[object]:
    """All that hangs on an object, but for what hangs on every object: types and modules."""
    globals_of_modules = {id(vars(module)) for module in list(sys.modules.values())}
    found: dict[int, object] = {}
    todo = [root]
    while todo:
        each = todo.pop()
        ground = isinstance(each, type | types.ModuleType) or id(each) in globals_of_modules
        if not ground and id(each) not in found:
            found[id(each)] = each
            todo += gc.get_referents(each)
    return list(found.values())


def test_a_search_whose_budget_ends_shows_what_it_has(tmp_path: Path, search: TrialSpec) -> None:
    run = work_on(tmp_path, search)
    assert result_of(run, search)["state"] == "over budget"
    assert [row["step"] for row in run.unit(search.unit).points()] == [3]


def test_an_empty_policy_retrains_to_the_very_model_of_none(
    tmp_path: Path, trial: TrialSpec
) -> None:
    """Paired comparisons rest on it: same initial weights, same batches, same dropout."""
    none = work_on(tmp_path / "none", trial)
    spec = EvaluationSpec(trial.task, to_json(Policy(), {}), trial.fold, trial.seed)
    (tmp_path / "evaluation").mkdir()
    run = RunDirectory(tmp_path / "evaluation")
    run.add_unit(spec.unit, spec.to_json())
    do_unit(run, spec.unit, Host(tmp_path))
    retrained = run.unit(spec.unit).result()
    assert retrained is not None
    assert retrained["weights"] == result_of(none, trial)["weights"]
    search, retrain = result_of(none, trial)["costs"]["search"], retrained["costs"]["retrain"]
    assert [search[key] for key in ("steps", "forward", "backward")] == [
        retrain[key] for key in ("steps", "forward", "backward")
    ]
    # Both choose their best epoch by validation, and so both pay for it.
    validated = [
        each["costs"]["validate"]["forward"] for each in (result_of(none, trial), retrained)
    ]
    assert validated[0] == validated[1] > 0
    spent = retrained["costs"]["validate"]
    assert charged(retrained["costs"]).forward == retrain["forward"] + spent["forward"]
    assert charged(retrained["costs"]).seconds == retrain["seconds"] + spent["seconds"]


@pytest.mark.parametrize("subpolicies", [3, [3], [{"weight": 1.0}], [{"operations": [["x"]]}]])
def test_a_policy_in_another_form_names_its_file(
    tmp_path: Path, trial: TrialSpec, subpolicies: Any
) -> None:
    record = {"schema": 1, "subpolicies": subpolicies, "by_class": [], "transforms": {}}
    spec = EvaluationSpec(trial.task, record, trial.fold, trial.seed)
    run = RunDirectory(tmp_path)
    run.add_unit(spec.unit, spec.to_json())
    with pytest.raises(UserError, match=f"{spec.unit}/spec.json: policy is not in the form"):
        do_unit(run, spec.unit, Host(tmp_path))


def test_a_spec_of_another_name_is_not_worked_on(tmp_path: Path, trial: TrialSpec) -> None:
    run = RunDirectory(tmp_path)
    directory = run.add_unit(trial.unit, trial.to_json())
    write_json(directory.spec_file, {**trial.to_json(), "seed": 7})
    with pytest.raises(UserError, match=f"spec.json is damaged .*spec of unit {trial.unit.digest}"):
        do_unit(run, trial.unit, Host(tmp_path))
    run.add_unit(trial.unit, trial.to_json())
    do_unit(run, trial.unit, Host(tmp_path))
    assert TrialSpec.from_json(directory.spec()) == trial


def scores(run: RunDirectory, spec: TrialSpec) -> list[dict[str, Any]]:
    """The rows of a trial without what the clock says."""
    kept = ("point", "step", "kind", "valid", "test", "learned")
    return [{key: row[key] for key in kept if key in row} for row in run.unit(spec.unit).points()]

"""What the harness promises of every method in the table, on real images, in real processes."""

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

import augbench.bench.unit.job
import forked
from augbench.bench.plan.spec import Budget, TrialSpec
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.phases import CHARGED
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.job import make_setup
from augbench.bench.unit.rehearsal import total, trial_steps
from augbench.bench.unit.work import do_unit
from augbench.methods import METHODS

# A method that has no row here runs on its defaults, which may take long.
QUICK: dict[str, dict[str, Any]] = {
    "augnet": {"layers": [["rotate", "translate_x"]]},
    "random_policy": {"n_policies": 6},
    "random_search": {"n_samplings": 3, "samplings_per_point": 1, "child_epochs": 2},
    "autoaugment": {"n_samplings": 3, "samplings_per_point": 1, "n_startup": 1, "child_epochs": 2},
    "fast_autoaugment": {"n_samplings": 4, "samplings_per_point": 2, "pretrain_epochs": 2},
    "faster_autoaugment": {"epochs": 6},
    "dada": {"epochs": 6},
    "adda": {"warm_start": 2, "epochs": 4},
    "cadda": {"warm_start": 2, "epochs": 4, "estimator": "gumbel", "hypergradient": "differences"},
}
N_STEPS = 6
KILLED_AFTER = 3
# Of each method by its six steps: epochs whose validation steers, rewards of whole children, and
# epochs whose validation is only shown. All others: six epochs that steer.
STEERED = {
    "random_policy": (0, 0, 0),
    "random_search": (6, 3, 0),  # three children of two epochs
    "autoaugment": (6, 3, 0),
    "fast_autoaugment": (2, 0, 0),  # its rewards are its search
    "faster_autoaugment": (0, 0, 0),
    "dada": (0, 0, 6),
    "adda": (0, 0, 6),
    "cadda": (0, 0, 6),
}
REWARD_OF_NOTHING = {"fast_autoaugment"}  # shown beside the rewards, and compared with none
PRETRAINED = {"fast_autoaugment", "adda", "cadda"}  # that is, by the steps above

every_method = pytest.mark.parametrize("name", METHODS)


def six_steps(name: str) -> TrialSpec:
    tables = {
        "name": "every",
        "folds": 1,
        "tasks": {
            "digits": {"valid_share": 0.8, "training": {"epochs": N_STEPS}}
        },  # few to train on
        "methods": {name: QUICK.get(name, {})},
    }
    spec = read_suite(tables, "here").plan[0].spec
    return replace(spec, budget=Budget(steps=N_STEPS))


def work_on(folder: Path, spec: TrialSpec) -> RunDirectory:
    folder.mkdir(exist_ok=True)
    run = RunDirectory(folder)
    run.add_unit(spec.unit, spec.to_json())
    do_unit(run, spec.unit, Host(folder, checkpoint_seconds=0.0))
    return run


@pytest.fixture
def trial(name: str) -> TrialSpec:
    """Six steps of the method."""
    return six_steps(name)


Whole = Callable[[str], RunDirectory]


@pytest.fixture(scope="module")
def whole_of(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A method's trial, undisturbed; made once."""

    @cache
    def make(name: str) -> RunDirectory:
        return work_on(tmp_path_factory.mktemp(name), six_steps(name))

    return make


@pytest.fixture
def whole(name: str, whole_of: Whole) -> RunDirectory:
    return whole_of(name)


def rows(run: RunDirectory, spec: TrialSpec, *without: str) -> list[dict[str, Any]]:
    """The rows of a trial without what the clock says."""
    return [
        {key: value for key, value in row.items() if key not in ("costs", *without)}
        for row in run.unit(spec.unit).points()
    ]


def result(run: RunDirectory, spec: TrialSpec) -> dict[str, Any]:
    found = run.unit(spec.unit).result()
    assert found is not None
    return found


def counts(run: RunDirectory, spec: TrialSpec) -> dict[str, list[int]]:
    """What each phase took, but for the seconds."""
    costs = result(run, spec)["costs"]
    return {
        phase: [cost[key] for key in ("steps", "forward", "backward")]
        for phase, cost in costs.items()
    }


DIES = f"""
import json, os, signal, sys
from pathlib import Path
from augbench.bench.unit import work, worker
from augbench.bench.unit.host import Host
from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.run_directory import RunDirectory

advance = worker.Worker._advance

def dies(self):
    if self.step == {KILLED_AFTER}:
        os.kill(os.getpid(), signal.SIGKILL)
    return advance(self)

worker.Worker._advance = dies
spec = TrialSpec.from_json(json.loads(sys.argv[1]))
run = RunDirectory(Path(sys.argv[2]))
run.path.mkdir(exist_ok=True)
run.add_unit(spec.unit, spec.to_json())
work.do_unit(run, spec.unit, Host(run.path, checkpoint_seconds=0.0))
"""


@every_method
def test_half_the_steps_a_kill_and_the_other_half_are_the_whole(
    trial: TrialSpec, whole: RunDirectory, tmp_path: Path
) -> None:
    words = [sys.executable, "-c", DIES, json.dumps(trial.to_json()), str(tmp_path / "killed")]
    died = forked.run(words)
    assert died.returncode == -signal.SIGKILL, died.stderr
    killed = work_on(tmp_path / "killed", trial)
    assert result(killed, trial)["wasted"]["attempts"] == 1
    assert abs(accounting_error(killed.unit(trial.unit))) < 1e-3
    assert result(killed, trial)["steps"] == N_STEPS
    assert rows(killed, trial) == rows(whole, trial)
    assert rows(whole, trial)
    assert counts(killed, trial) == counts(whole, trial)
    assert result(killed, trial)["weights"] == result(whole, trial)["weights"]


@every_method
def test_a_poisoned_test_split_changes_nothing_but_the_test_metric(
    trial: TrialSpec, whole: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_setup = augbench.bench.unit.job.make_setup

    def poisoned(*args: Any, **kwargs: Any) -> Any:
        setup, test, task = make_setup(*args, **kwargs)
        return setup, test._replace(x=torch.full_like(test.x, torch.nan)), task

    monkeypatch.setattr(augbench.bench.unit.job, "make_setup", poisoned)
    dirty = work_on(tmp_path / "dirty", trial)
    assert rows(dirty, trial, "test") == rows(whole, trial, "test")
    assert counts(dirty, trial) == counts(whole, trial)
    assert result(dirty, trial)["weights"] == result(whole, trial)["weights"]
    if rows(whole, trial)[0]["kind"] == "model":  # else it is scored elsewhere
        assert rows(dirty, trial) != rows(whole, trial)


@every_method
def test_costs_land_in_their_phases(name: str, trial: TrialSpec, whole: RunDirectory) -> None:
    costs = counts(whole, trial)
    assert (sum(costs["pretrain"]) > 0) == (name in PRETRAINED)
    assert (sum(costs["search"]) > 0) == (name != "random_policy")  # which compares nothing
    assert costs["retrain"] == [0, 0, 0]  # retrainings are units of their own
    assert costs["setup"] == costs["store"] == [0, 0, 0]
    assert costs["evaluate"][2] == costs["validate"][2] == 0  # nothing is learned from a score


@every_method
def test_validation_that_steers_is_charged_once_and_no_other(
    name: str, trial: TrialSpec, whole: RunDirectory
) -> None:
    """Epochs of a training that chooses its best one, and rewards; not what is only looked at."""
    setup = make_setup(
        trial.task, trial.fold, trial.seed, whole.path, device=torch.device("cpu"), meter=Ledger()
    )[0]
    n_model, n_policy = len(setup.views.model_valid.y), len(setup.views.policy_valid.y)
    epochs, children, looked_at = STEERED.get(name, (N_STEPS, 0, 0))
    learned = whole.unit(trial.unit).points()[-1]["learned"]
    copies = 4 if "layers" in learned else 1  # of a sample, by augmentation layers
    costs = counts(whole, trial)
    assert costs["validate"][1] == epochs * copies * n_model + children * n_policy
    ends_in_model = METHODS[name].ends_in == "model"
    n_test = 0 if not ends_in_model else N_STEPS * copies * n_test_of(trial, whole)
    assert costs["evaluate"][1] == looked_at * n_model + n_test + (name in REWARD_OF_NOTHING) * (
        n_policy
    )


@every_method
def test_a_rehearsal_counts_what_a_real_run_is_charged_for(
    trial: TrialSpec, whole: RunDirectory
) -> None:
    setup = make_setup(
        trial.task, trial.fold, trial.seed, whole.path, device=torch.device("cpu"), meter=Ledger()
    )[0]
    for budget in (trial.budget, Budget()):
        steps = trial_steps(replace(trial, budget=budget), setup)
        assert len(steps) == N_STEPS
        counted = {
            name: [cost.steps, cost.forward, cost.backward] for name, cost in total(steps).items()
        }
        real = counts(whole, trial)
        assert {name: counted[name] for name in CHARGED} == {name: real[name] for name in CHARGED}
        n_policies = [row["kind"] for row in whole.unit(trial.unit).points()].count("policy")
        assert sum(step.policy is not None for step in steps) == n_policies


def n_test_of(trial: TrialSpec, whole: RunDirectory) -> int:
    """Samples of the test split."""
    meter, device = Ledger(), torch.device("cpu")
    made = make_setup(trial.task, trial.fold, trial.seed, whole.path, device=device, meter=meter)
    return len(made[1].y)


def test_every_quick_row_is_of_a_method() -> None:
    assert set(QUICK) <= set(METHODS)

"""What trials and retrainings count, found without training anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from augbench import methods
from augbench.bench.plan.spec import EvaluationSpec, TrialSpec
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.phases import CHARGED
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.job import build_method, make_setup
from augbench.bench.unit.rehearsal import (
    Step,
    rehearse,
    retraining_steps,
    total,
    trial_steps,
)
from augbench.bench.unit.work import do_unit
from augbench.methods.options.row import MethodRow
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_json import to_json
from augbench.methods.training.method import Setup

WAVES = {"n_train": 47, "n_test": 8, "training": {"epochs": 3, "batch_size": 8}}


def trial_of(method: str, **options: Any) -> TrialSpec:
    tables = {
        "name": "s",
        "folds": 1,
        "tasks": {"sinusoids": WAVES},
        "methods": {method: options},
    }
    return read_suite(tables, "here").plan[0].spec


def setup_of(spec: TrialSpec) -> Setup:
    device = torch.device("cpu")
    made = make_setup(spec.task, spec.fold, spec.seed, Path(), device=device, meter=Ledger())
    return made[0]


def counted(steps: Sequence[Step]) -> dict[str, list[int]]:
    found = total(steps)
    return {n: [found[n].steps, found[n].forward, found[n].backward] for n in CHARGED}


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("random_search", {"n_samplings": 23, "samplings_per_point": 5, "child_epochs": 2}),
        ("autoaugment", {"n_samplings": 12, "samplings_per_point": 2, "n_startup": 20}),
        ("fast_autoaugment", {"n_samplings": 17, "samplings_per_point": 3, "n_startup": 20}),
        ("faster_autoaugment", {"epochs": 13, "epochs_per_point": 2}),
        ("dada", {"epochs": 8, "epochs_per_point": 1}),
        ("adda", {"warm_start": 3, "epochs": 11, "epochs_per_point": 2}),
        ("cadda", {"warm_start": 1, "epochs": 8, "epochs_per_point": 2}),
    ],
)
def test_a_long_search_is_rehearsed_in_part_and_counted_as_a_whole(
    method: str, options: dict[str, Any]
) -> None:
    spec = trial_of(method, **options)
    setup = setup_of(spec)
    every = rehearse(lambda empty: build_method(spec, empty, spec.options), setup, "search")
    steps = trial_steps(spec, setup)
    assert len(steps) == len(every)
    assert counted(steps) == counted(every)
    shown = [[n for n, step in enumerate(each) if step.policy] for each in (steps, every)]
    assert shown[0] == shown[1]


@dataclass(frozen=True)
class DearerOptions:
    epochs: int = 9
    epochs_per_point: int = 1


class Dearer:
    """Each step counts one sample more than the one before."""

    def __init__(self, setup: Setup, options: DearerOptions) -> None:
        self.meter, self.options, self.n = setup.meter, options, 0

    def step(self) -> bool:
        self.n += 1
        self.meter.count(forward=self.n)
        return self.n >= self.options.epochs

    def artifact(self, *, last: bool = False) -> Policy:
        return Policy()

    def learned(self) -> dict[str, Any]:
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"n": self.n}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.n = state["n"]


def test_a_search_whose_points_cost_more_and_more_is_rehearsed_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(methods.METHODS, "dearer", MethodRow(DearerOptions, Dearer, "policy"))
    spec = trial_of("dearer")
    steps = trial_steps(spec, setup_of(spec))
    assert [step.costs["search"].forward for step in steps] == list(range(1, 10))


def test_no_early_stopping_is_foreseen() -> None:
    spec = trial_of("none", training={"epochs": 40, "patience": 2})
    assert len(trial_steps(spec, setup_of(spec))) == 40


def test_a_retraining_counts_what_a_real_one_is_charged_for(tmp_path: Path) -> None:
    trial = trial_of("random_policy", n_policies=1)
    setup = setup_of(trial)
    (step,) = trial_steps(trial, setup)
    assert step.policy is not None
    record = to_json(step.policy, setup.bank)
    spec = EvaluationSpec(trial.task, record, trial.fold, trial.seed)
    run = RunDirectory(tmp_path)
    run.add_unit(spec.unit, spec.to_json())
    do_unit(run, spec.unit, Host(tmp_path))
    result = run.unit(spec.unit).result()
    assert result is not None
    real = {n: [result["costs"][n][k] for k in ("steps", "forward", "backward")] for n in CHARGED}
    assert counted(retraining_steps(step.policy, setup)) == real
    assert real["retrain"][0] > 0


def test_a_real_setup_is_left_alone() -> None:
    spec = trial_of("adda", warm_start=1, epochs=2)
    setup = setup_of(spec)
    before = torch.random.get_rng_state()
    x = setup.views.train.x.clone()
    trial_steps(spec, setup)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(setup.views.train.x, x)
    assert sum(cost.forward for cost in setup.meter.costs.values()) == 0  # type: ignore[attr-defined]

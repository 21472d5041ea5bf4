"""Device hours of whole suites, on a clock that samples move."""

from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from augbench.bench.cli.hours_table import hours_text
from augbench.bench.driver import hours
from augbench.bench.driver.hours import Estimate, TrialHours, estimate_hours, trial_hours
from augbench.bench.driver.prepare import prepare
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import Suite, read_suite
from augbench.bench.store.accounts import add_charges, charged
from augbench.bench.store.ledger import Ledger
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials

A_SAMPLE = 0.25  # seconds on the clock of the tests, forward or backward


class SampleLedger(Ledger):
    """A ledger on whose clock each sample takes equally long, and all else nothing."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.now = 0.0
        super().__init__(device, clock=lambda: self.now, cpu_clock=lambda: self.now)

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        super().count(forward=forward, backward=backward, steps=steps)
        self.now += A_SAMPLE * (forward + backward)


@pytest.fixture(autouse=True)
def _sample_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "Ledger", SampleLedger)


def suite_of(methods: dict[str, Any], **more: Any) -> Suite:
    waves = {"n_train": 60, "n_test": 8, "training": {"epochs": 4, "batch_size": 16}}
    tables = {"name": "s", "folds": 2, "tasks": {"sinusoids": waves}, "methods": methods}
    return read_suite(tables | more, "here")


def hours_of(suite: Suite) -> TrialHours:
    return trial_hours(suite.plan[0], Path(), torch.device("cpu"))


METHODS = {
    "none": {},
    "augnet": {"layers": [["gaussian_noise"]], "n_copies_train": 2},
    "random_policy": {"n_policies": 2},
    "autoaugment": {"n_samplings": 3, "samplings_per_point": 2, "child_epochs": 2},
    "fast_autoaugment": {"n_samplings": 4, "samplings_per_point": 2, "pretrain_epochs": 2},
    "adda": {"warm_start": 1, "epochs": 4, "epochs_per_point": 2},
}


@pytest.mark.parametrize("method", METHODS)
def test_hours_are_those_of_all_samples_of_a_real_run(method: str, tmp_path: Path) -> None:
    """On a clock of samples; policies differ here, or a retraining is counted for each point."""
    suite = suite_of({method: METHODS[method]}, folds=1)
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(suite, options, Console(quiet=True))
    run = RunDirectory(tmp_path / "run")
    result = run.unit(suite.plan[0].spec.unit).result()
    assert result is not None
    (trial,) = read_trials(run, suite.plan)
    retrainings = [
        record["costs"]
        for file in (tmp_path / "run").glob("evaluations/*")
        if (record := run.unit(UnitId("evaluations", file.name)).result()) is not None
    ]
    n_points = trial["points_known"] if retrainings else 0
    of_trial, of_each = charged(result["costs"]), add_charges(*map(charged, retrainings[:1]))
    found = hours_of(suite)
    assert found.trial * 3600 == pytest.approx(A_SAMPLE * (of_trial.forward + of_trial.backward))
    each = A_SAMPLE * (of_each.forward + of_each.backward)
    assert found.retrainings * 3600 == pytest.approx(n_points * each)


def test_a_budget_of_hours_ends_a_trial_after_the_step_that_uses_it_up() -> None:
    search = {"n_samplings": 30, "samplings_per_point": 10, "child_epochs": 1}
    whole = hours_of(suite_of({"random_search": search}))
    budget = {"device_hours": 0.41 * whole.trial}
    capped = hours_of(suite_of({"random_search": search}, budget=budget))
    assert [whole.capped, capped.capped] == [False, True]
    assert capped.trial == pytest.approx(13 / 30 * whole.trial)
    # Three points of 30 samplings; of 13 one, and what there is at the end.
    assert capped.retrainings == pytest.approx(2 / 3 * whole.retrainings)


def test_a_budget_of_steps_ends_a_trial_too() -> None:
    whole = hours_of(suite_of({"none": {}}))
    half = hours_of(suite_of({"none": {}}, budget={"steps": 2}))
    assert half.trial == pytest.approx(whole.trial / 2)


def test_each_pair_of_task_and_method_is_measured_once_and_skipped_trials_never(
    tmp_path: Path,
) -> None:
    suite = suite_of({"none": {}, "augerino": {}}, seeds=[0, 1, 2])
    skipped = prepare(RunDirectory(tmp_path / "run"), suite.plan, tmp_path).skipped
    said: list[str] = []
    found = estimate_hours(suite.plan, skipped, tmp_path, "cpu", say=said.append)
    assert [(each.task, each.method, each.n_trials) for each in found] == [("sinusoids", "none", 6)]
    assert said == ["measuring none on sinusoids"]


def test_a_method_that_cannot_be_counted_has_a_reason_and_the_others_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = suite_of({"none": {}, "augnet": {"layers": [["gaussian_noise"]]}})
    count = hours.trial_steps

    def fails(spec: Any, setup: Any) -> Any:
        if spec.method == "augnet":
            raise ValueError("needs real samples")
        return count(spec, setup)

    monkeypatch.setattr(hours, "trial_steps", fails)
    none, augnet = estimate_hours(suite.plan, (), tmp_path, "cpu", say=lambda what: None)
    assert none.hours is not None
    assert augnet.hours is None
    assert "needs real samples" in augnet.reason
    text = hours_text([none, augnet], "cpu", None)
    assert "no number: its steps cannot be counted: ValueError: needs real samples" in text
    assert "without 1 of 2 lines" in text


def test_the_table_adds_up() -> None:
    found = [
        Estimate("waves", "none", 10, TrialHours(0.5, 0.0, False, 3.0), ""),
        Estimate("waves", "dada", 5, TrialHours(12.0, 240.0, True, 4.0), ""),
    ]
    text = hours_text(found, "cpu (1 thread)", 100.0)
    title, _, none, dada, total, *remarks = text.splitlines()
    assert title == "device hours on cpu (1 thread):"
    assert none.split() == ["waves", "none", "0.500", "-", "10", "5.00"]
    assert dada.split()[:6] == ["waves", "dada", "12.0", "240", "5", "1,260"]
    assert dada.endswith("its budget ends it")
    assert total.split() == ["total", "15", "1,265"]
    assert "7 s" in remarks[0]
    assert "total_device_hours = 100" in remarks[-1]

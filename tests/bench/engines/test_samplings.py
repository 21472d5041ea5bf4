"""Searches whose samplings are done at once: the same numbers wherever they are done."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.attempt_log import start_event
from augbench.bench.store.costs import read_costs
from augbench.bench.store.open_run import open_run
from augbench.bench.store.phases import CHARGED
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.samplings import samplings
from augbench.bench.store.states import unit_state
from processes import background, wait_until
from runs import timeless

Run = Callable[..., subprocess.CompletedProcess[str]]

SUITE = """
name = "samplings"
folds = 1
[tasks.sinusoids]
n_train = 100
n_test = 20
training = { epochs = 6, patience = 6 }
[methods.autoaugment]
parallel = 3
n_samplings = 7
n_startup = 3
samplings_per_point = 2
child_epochs = 3
[methods.fast_autoaugment]
parallel = 4
n_samplings = 9
n_startup = 4
samplings_per_point = 3
pretrain_epochs = 2
"""
N_HANDED_OUT = {"autoaugment": 6, "fast_autoaugment": 8}  # the last batch has one, done at home


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("suite") / "samplings.toml"
    file.write_text(SUITE)
    return file


def finished(suite: Path, augbench: Run, name: str, *words: str) -> Path:
    """A run of the suite beside its file."""
    out = suite.parent / name
    done = augbench("run", suite, *words, "--out", out)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def inline(suite: Path, augbench: Run) -> Path:
    """A run in which one process has done everything."""
    return finished(suite, augbench, "inline", "--engine", "inline")


@pytest.fixture(scope="module")
def on_workers(suite: Path, augbench: Run) -> Path:
    """The same run on two workers."""
    return finished(suite, augbench, "workers", "--workers", "2")


def specs(path: Path) -> dict[str, TrialSpec]:
    return {planned.method: planned.spec for planned in open_run(path)[1].plan}


def seen(path: Path) -> tuple[Any, Any]:
    """All that must be equal to the last bit: points, weights, what was learned and counted."""
    points, weights = timeless(path)
    run, suite = open_run(path)
    rows = [
        {**row, "costs": counts(row["costs"])}
        for planned in suite.plan
        for row in run.unit(planned.spec.unit).points()
    ]
    return points, (rows, {k: v for k, v in weights.items() if not k.startswith("samplings")})


def counts(costs: dict[str, Any]) -> dict[str, list[int]]:
    return {
        phase: [cost[key] for key in ("steps", "forward", "backward")]
        for phase, cost in costs.items()
    }


def test_workers_give_the_bits_of_one_process(inline: Path, on_workers: Path) -> None:
    assert seen(on_workers) == seen(inline)
    assert not (inline / "samplings").exists()
    run = RunDirectory(on_workers)
    for method, spec in specs(on_workers).items():
        asked = samplings(run, spec)
        assert len(asked) == N_HANDED_OUT[method]
        assert {unit_state(run.unit(each.unit)) for each in asked} == {("done", "")}


def test_hours_and_samples_of_samplings_are_summed_in_their_search(on_workers: Path) -> None:
    run = RunDirectory(on_workers)
    for method, spec in specs(on_workers).items():
        result = run.unit(spec.unit).result()
        assert result is not None
        done = [run.unit(each.unit).result() for each in samplings(run, spec)]
        for phase in CHARGED:
            for key in ("seconds", "forward", "backward"):
                elsewhere = sum(each["costs"][phase][key] for each in done if each)
                assert result["elsewhere"][phase][key] == pytest.approx(elsewhere)
                assert result["costs"][phase][key] >= elsewhere
        assert result["elsewhere"]["search"]["seconds"] > 0, method
        assert abs(accounting_error(run.unit(spec.unit))) < 1e-3
        assert result["wasted"]["seconds"] < 1e-3  # to wait for samplings is no waste


def test_the_tables_of_costs_count_a_sampling_once(inline: Path, on_workers: Path) -> None:
    found = []
    for path in (inline, on_workers):
        run, suite = open_run(path)
        costs = read_costs(run, suite.plan)
        found.append([(c["method"], c["phase"], c["forward"], c["backward"]) for c in costs])
    assert found[0] == found[1]


@pytest.mark.parametrize("victim", ["worker", "driver"])
def test_a_kill_costs_nothing_but_time(
    victim: str, suite: Path, command_line: Callable[..., list[str]], inline: Path, tmp_path: Path
) -> None:
    words = command_line("run", suite, "--workers", "2", "--out", tmp_path)
    with background(words, log_of(tmp_path), SLOW) as process:
        wait_until(lambda: bool(starts(tmp_path)))
        if victim == "worker":
            os.kill(starts(tmp_path)[0]["process"], signal.SIGKILL)
        else:
            process.kill()
        ended = process.wait(timeout=300)
    if victim == "driver":
        with background(words, log_of(tmp_path)) as process:
            ended = process.wait(timeout=300)
    assert ended == 0
    assert seen(tmp_path) == seen(inline)


def starts(path: Path) -> list[dict[str, Any]]:
    """What the processes of samplings have noted at their start."""
    found = [start_event(AttemptDirectory(each)) for each in path.glob("samplings/*/attempts/*")]
    return [each for each in found if each]


def log_of(out: Path) -> Path:
    """Beside a run directory, which has to be empty at first."""
    return out.with_name(out.name + "-log")


# Units wait in each step from their second on, so that nobody is too late to kill one.
SLOW = {**os.environ, "AUGBENCH_FAULT": "slow@step:1"}

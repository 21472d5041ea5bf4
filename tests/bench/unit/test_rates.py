"""Seconds for each sample, from steps that a fake clock measures."""

from pathlib import Path
from typing import Any

import pytest
import torch

from augbench.bench.plan.spec import TrialSpec
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.ledger import Cost, Ledger
from augbench.bench.store.phases import PHASES, HarnessPhase
from augbench.bench.unit.job import build_method, make_setup
from augbench.bench.unit.rates import MOST_SECONDS, charged_phases, measure, part_of, price
from augbench.methods.training.method import Setup
from augbench.methods.training.training import DivergedError


class FakeClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Scripted:
    """A method whose steps take and count what a list says; the list begins anew with each."""

    def __init__(self, ledger: Ledger, clock: FakeClock, steps: list[Any]) -> None:
        self.ledger, self.clock, self.steps = ledger, clock, iter(steps)

    def step(self) -> bool:
        done = next(self.steps, None)
        if done is None:
            return True
        if isinstance(done, Exception):
            raise done
        name, seconds, samples = done
        with self.ledger.phase(name):
            self.clock.now += seconds
            self.ledger.count(forward=samples)
        return False


def rates_of(
    steps: list[Any], *needed: HarnessPhase, device: str = "cpu", busy: float = 1.0
) -> dict[HarnessPhase, float]:
    clock = FakeClock()
    ledger = Ledger(clock=clock, cpu_clock=lambda: busy * clock.now)

    def build() -> Any:
        clock.now += 1000.0  # is not measured
        return Scripted(ledger, clock, steps)

    return dict(measure(build, ledger, "search", needed, device=torch.device(device)))


def test_a_rate_is_seconds_by_samples_without_the_first_step_of_a_phase() -> None:
    steps = [("search", 9.0, 1), ("validate", 5.0, 1), ("search", 1.0, 10), ("validate", 2.0, 40)]
    assert rates_of(steps, "search", "validate") == {"search": 0.1, "validate": 0.05}


def test_what_other_programs_took_of_a_processor_is_left_out() -> None:
    steps = 4 * [("search", 1.0, 10)]
    assert rates_of(steps, "search", busy=0.5) == {"search": 0.05}
    assert rates_of(steps, "search", busy=3.0) == {"search": 0.1}  # three threads
    assert rates_of(steps, "search", device="cuda", busy=0.5) == {"search": 0.1}


def test_a_phase_that_comes_late_is_waited_for() -> None:
    steps = [*9 * [("pretrain", 1.0, 10)], ("search", 1.0, 2), ("search", 1.0, 2)]
    assert rates_of(steps, "pretrain", "search") == {"pretrain": 0.1, "search": 0.5}


def test_a_phase_that_never_comes_has_no_rate() -> None:
    assert rates_of([("pretrain", MOST_SECONDS, 10)], "pretrain", "search").keys() == {"pretrain"}


def test_a_training_that_diverges_begins_again() -> None:
    steps = [("search", 1.0, 10), DivergedError("not finite")]
    assert rates_of(steps, "search") == {"search": 0.1}


def test_nothing_is_measured_where_nothing_is_needed() -> None:
    assert rates_of([AssertionError("a step was taken")]) == {}


def test_a_price_is_rates_times_samples_forward_and_backward() -> None:
    costs = {name: Cost() for name in PHASES}
    costs["search"] = Cost(forward=30, backward=10)
    costs["validate"] = Cost(forward=5)
    costs["evaluate"] = Cost(forward=1000)  # is not charged
    assert charged_phases([costs]) == {"search", "validate"}
    assert price(costs, {"search": 0.5, "validate": 2.0, "pretrain": 99.0}) == 30.0


def setup_of(method: str, **options: Any) -> tuple[TrialSpec, Setup]:
    tables = {
        "name": "s",
        "folds": 1,
        "tasks": {"sinusoids": {"n_train": 100, "n_test": 8, "training": {"epochs": 300}}},
        "methods": {method: options},
    }
    spec = read_suite(tables, "here").plan[0].spec
    ledger, device = Ledger(), torch.device("cpu")
    made = make_setup(spec.task, spec.fold, spec.seed, Path(), device=device, meter=ledger)
    return spec, made[0]


def clock_of_batches(seconds: float) -> Any:
    """A clock on which every second look is so much later: a phase begins, a phase ends."""
    now = 0.0
    looks = 0

    def look() -> float:
        nonlocal now, looks
        looks += 1
        now += seconds if looks % 2 == 0 else 0.0
        return now

    return look


@pytest.mark.parametrize(
    ("seconds", "n_train", "n_valid"),
    [
        (60.0, 8, 8),  # a slow device: less than a batch of 32
        (0.26, 32, 20),  # one batch
        (0.2, 64, 20),
        (0.0001, 80, 20),  # a fast one: all
    ],
)
def test_a_part_is_what_a_device_does_in_half_a_second(
    seconds: float, n_train: int, n_valid: int
) -> None:
    _, setup = setup_of("none")
    assert setup.training.batch_size == 32
    part = part_of(setup, Ledger(clock=clock_of_batches(seconds)), whole_trainings=True)
    assert [len(view.y) for view in part.views] == [n_train, n_valid, n_valid]


@pytest.mark.parametrize(
    ("method", "options", "n_steps"),
    [
        ("fast_autoaugment", {"pretrain_epochs": 300}, 4),
        ("autoaugment", {"child_epochs": 300}, 3),
    ],
)
def test_what_comes_after_a_long_training_is_reached_in_a_few_steps(
    method: str, options: dict[str, Any], n_steps: int
) -> None:
    spec, setup = setup_of(method, **options)
    part = part_of(setup, Ledger(), whole_trainings=False)
    built = build_method(spec, part, spec.options)
    for _ in range(n_steps):
        with part.meter.phase("search"):
            built.step()
    learned = built.learned()
    assert len(learned["rewards"]) >= 1

"""In which order units go to workers."""

from collections import deque
from pathlib import Path

import pytest

from augbench.bench.driver.longest_first import LongestFirst
from augbench.bench.plan.spec import EvaluationSpec, TrialSpec, UnitId
from augbench.bench.plan.suite import load_suite

SECONDS = {"none": 10.0, "random_policy": 30.0}  # of the methods of the small suite


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def specs(small_suite: Path) -> list[TrialSpec]:
    suite = load_suite(small_suite, ["seeds=[0,1,2,3,4]"])
    return [planned.spec for planned in suite.plan]


def order_of(
    specs: list[TrialSpec], n_workers: int, retrainings: list[EvaluationSpec] | None = None
) -> list[str]:
    """The methods as they go to one worker after the other, each unit for its method's seconds."""
    known: dict[UnitId, TrialSpec | EvaluationSpec] = {
        spec.unit: spec for spec in [*(retrainings or []), *specs]
    }
    clock = Clock()
    order, queue, taken = LongestFirst(known, clock), deque(known), []
    while queue:
        unit = order.take(queue, n_workers)
        spec = known[unit]
        name = spec.method if isinstance(spec, TrialSpec) else "retraining"
        clock.now += SECONDS.get(name, 20.0)
        order.ended(unit, finished=True)
        taken.append(name)
    return taken


def test_the_longest_go_first_once_few_units_wait(specs: list[TrialSpec]) -> None:
    assert len(specs) == 10
    plan = [spec.method for spec in specs]
    assert set(plan[:2]) == set(SECONDS)  # so that both are known after two units
    taken = order_of(specs, n_workers=3)
    # A long unit takes 1.5 times the mean: from 3 * 2 * 1.5 units on.
    assert taken[:2] == plan[:2]
    assert taken[2:] == sorted(plan[2:], key=lambda name: -SECONDS[name])


def test_for_one_worker_only_the_last_three_change_places(specs: list[TrialSpec]) -> None:
    plan = [spec.method for spec in specs]
    taken = order_of(specs, n_workers=1)
    assert taken[:-3] == plan[:-3]
    assert taken[-3:] == sorted(plan[-3:], key=lambda name: -SECONDS[name])


def test_a_unit_that_crashed_is_taken_again(specs: list[TrialSpec]) -> None:
    clock = Clock()
    order = LongestFirst({spec.unit: spec for spec in specs}, clock)
    queue = deque([specs[0].unit])
    for finished in (False, True):
        assert order.take(queue, 1) == specs[0].unit
        clock.now += 5.0
        order.ended(specs[0].unit, finished=finished)
        queue.append(specs[0].unit)
    assert order.take(queue, 1) == specs[0].unit


def test_what_has_not_ended_yet_goes_before_what_is_known(specs: list[TrialSpec]) -> None:
    long = [spec for spec in specs if spec.method == "random_policy"]
    short = [spec for spec in specs if spec.method == "none"]
    taken = order_of([*long[:3], short[0]], n_workers=9)
    assert taken == ["random_policy", "none", "random_policy", "random_policy"]


def test_trials_go_before_retrainings_that_take_longer(specs: list[TrialSpec]) -> None:
    short = [spec for spec in specs if spec.method == "none"]
    asked = [EvaluationSpec(short[0].task, {"k": k}, 0, 0) for k in range(2)]
    taken = order_of(short[:2], 9, asked)
    assert taken == ["none", "none", "retraining", "retraining"]


def test_a_unit_that_did_not_finish_tells_nothing(specs: list[TrialSpec]) -> None:
    clock = Clock()
    order = LongestFirst({spec.unit: spec for spec in specs}, clock)
    one_of = {name: next(s.unit for s in specs if s.method == name) for name in SECONDS}
    for name, finished in (("random_policy", True), ("none", False)):
        order.take(deque([one_of[name]]), 1)
        clock.now += 1.0
        order.ended(one_of[name], finished=finished)
    queue = deque([one_of["random_policy"], one_of["none"]])
    assert order.take(queue, 1) == one_of["none"]  # still unknown
    assert list(queue) == [one_of["random_policy"]]

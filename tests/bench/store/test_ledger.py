import itertools
import time

import pytest

from augbench.bench.store.ledger import Ledger


class FakeClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_an_inner_phase_pauses_the_outer_one() -> None:
    clock = FakeClock()
    ledger = Ledger(clock=clock)
    with ledger.phase("search"):
        clock.now += 1
        with ledger.phase("evaluate"):
            clock.now += 10
        clock.now += 2
    assert ledger.costs["search"].seconds == 3
    assert ledger.costs["evaluate"].seconds == 10


def test_time_between_phases_belongs_to_none() -> None:
    clock = FakeClock()
    ledger = Ledger(clock=clock)
    with ledger.phase("search"):
        clock.now += 1
    clock.now += 50
    with ledger.phase("retrain"):
        clock.now += 2
    assert ledger.seconds == 3


def test_all_phases_of_a_method_but_scoring_are_charged() -> None:
    clock = FakeClock()
    ledger = Ledger(clock=clock)
    for weight, name in enumerate(ledger.costs):
        with ledger.phase(name):
            clock.now += 10**weight
    names = list(ledger.costs)
    charged = ("pretrain", "search", "validate", "retrain")
    expected = sum(10 ** names.index(name) for name in charged)
    assert ledger.charged_seconds == expected
    assert ledger.seconds == sum(10**weight for weight in range(len(names)))


def test_counts_go_to_the_innermost_phase() -> None:
    ledger = Ledger()
    with ledger.phase("search"):
        ledger.count(forward=3, backward=2, steps=1)
        with ledger.phase("evaluate"):
            ledger.count(forward=5)
        ledger.count(forward=4)
    assert (ledger.costs["search"].forward, ledger.costs["evaluate"].forward) == (7, 5)
    assert (ledger.costs["search"].backward, ledger.costs["search"].steps) == (2, 1)


def test_a_phase_that_raises_is_still_closed() -> None:
    clock = FakeClock()
    ledger = Ledger(clock=clock)

    def fails() -> None:
        clock.now += 1
        raise RuntimeError

    with ledger.phase("search"), pytest.raises(RuntimeError), ledger.phase("evaluate"):
        fails()
    assert ledger.costs["evaluate"].seconds == 1
    with ledger.phase("search"):
        clock.now += 2
    assert ledger.costs["search"].seconds == 2


def test_a_resumed_ledger_goes_on_from_the_saved_costs() -> None:
    ticks = itertools.count()
    first = Ledger(clock=lambda: float(next(ticks)))
    with first.phase("search"):
        first.count(forward=7)
    second = Ledger(clock=lambda: float(next(ticks)))
    second.load_state_dict(first.state_dict())
    with second.phase("search"):
        second.count(forward=1)
    assert second.costs["search"].seconds == 2
    assert second.costs["search"].forward == 8
    assert first.costs["search"].forward == 7


def test_the_processors_time_is_kept_beside_the_clocks() -> None:
    """A processor that works for others half of the time."""
    clock, cpu_clock = FakeClock(), FakeClock()
    ledger = Ledger(clock=clock, cpu_clock=cpu_clock)
    with ledger.phase("search"):
        clock.now += 4
        cpu_clock.now += 2
        with ledger.phase("validate"):
            clock.now += 1
            cpu_clock.now += 3  # of several threads
    cpu_clock.now += 50
    assert (ledger.costs["search"].seconds, ledger.costs["search"].cpu_seconds) == (4, 2)
    assert (ledger.costs["validate"].seconds, ledger.costs["validate"].cpu_seconds) == (1, 3)
    again = Ledger()
    again.load_state_dict(ledger.state_dict())
    assert again.costs == ledger.costs


def test_a_process_that_waits_uses_no_processor_and_one_that_computes_does() -> None:
    ledger = Ledger()
    with ledger.phase("search"):
        time.sleep(0.2)
    with ledger.phase("validate"):
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    waited, computed = ledger.costs["search"], ledger.costs["validate"]
    assert waited.cpu_seconds < 0.1 < waited.seconds
    assert computed.cpu_seconds >= 0.2

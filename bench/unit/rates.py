"""What a sample costs on a device: a method's own first steps, measured on a part of the data."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace

import torch
import torch.nn.functional as F

from augbench.bench.store.ledger import Cost, Ledger
from augbench.bench.store.phases import CHARGED, HarnessPhase
from augbench.datasets.task import Split, Views
from augbench.methods.training.adam import Adam
from augbench.methods.training.method import Method, Setup
from augbench.methods.training.training import DivergedError

Rates = Mapping[HarnessPhase, float]  # seconds of the device for each sample forward or backward

SECONDS = 3.0  # of steps to measure, at least
MOST_SECONDS = 60.0  # then phases that no step has reached stay without a number
EPOCH_SECONDS = 0.5  # what a plain epoch on the part should take, or nearly so
LEAST_ROWS = 8  # of that part, however slow the device is


def measure(
    build: Callable[[], Method],
    ledger: Ledger,
    phase: HarnessPhase,
    needed: Iterable[HarnessPhase],
    *,
    device: torch.device,
) -> Rates:
    """Take steps of a method until all needed phases have been seen and SECONDS are over.

    ``build`` makes the method, again whenever it has ended; its meter is ``ledger``. What it does
    outside of steps is not measured. The first step in a phase warms it up: it counts only if there
    is no other. On a processor, time in which other programs had it is left out.
    """
    seen: dict[HarnessPhase, list[Cost]] = {name: [] for name in CHARGED}
    needed = set(needed)
    method, began = build(), ledger.seconds
    while needed and ledger.seconds - began < MOST_SECONDS:
        if ledger.seconds - began >= SECONDS and all(len(seen[name]) >= 2 for name in needed):
            break
        before = deepcopy(ledger.costs)
        try:
            with ledger.phase(phase):
                ended = method.step()
        except DivergedError:
            ended = True
        for name in CHARGED:
            cost = _difference(ledger.costs[name], before[name])
            if _samples(cost) > 0:
                if device.type == "cpu":
                    cost.seconds = min(cost.seconds, cost.cpu_seconds)
                seen[name].append(cost)
        if ended:
            method = build()
    return {name: _rate(costs) for name, costs in seen.items() if costs}


def price(costs: Mapping[HarnessPhase, Cost], rates: Rates) -> float:
    """Seconds that a method is charged for what it counts; a phase without a rate is a KeyError."""
    return sum(rates[name] * _samples(costs[name]) for name in CHARGED if _samples(costs[name]))


def charged_phases(costs: Iterable[Mapping[HarnessPhase, Cost]]) -> set[HarnessPhase]:
    """The charged phases in which any sample goes through the trunk."""
    return {name for each in costs for name in CHARGED if _samples(each[name])}


def part_of(setup: Setup, ledger: Ledger, *, whole_trainings: bool) -> Setup:
    """The setup with so few samples that an epoch of plain training takes EPOCH_SECONDS.

    The view that stops trainings early is one sample, repeated: its metric improves at most twice.
    So unless ``whole_trainings``, where the patience is 1, any training that may stop early ends
    after two or three epochs, and what comes after it is measured too.
    """
    n_rows = _affordable_rows(setup, ledger)
    train, policy_valid, model_valid = setup.views
    return replace(
        setup,
        views=Views(
            _spread(train, n_rows),
            _spread(policy_valid, n_rows),
            _repeated(model_valid, min(n_rows, len(model_valid.y))),
        ),
        training=replace(setup.training, patience=2**31 if whole_trainings else 1),
        meter=ledger,
    )


def _affordable_rows(setup: Setup, ledger: Ledger) -> int:
    """Samples of an epoch of EPOCH_SECONDS without augmentation; all that there are, or fewer."""
    train = setup.views.train
    trunk = setup.trunk()
    optimizer = Adam(trunk.parameters())

    def train_once(n: int) -> float:
        before = ledger.costs["setup"].seconds
        with ledger.phase("setup"):
            F.cross_entropy(trunk(train.x[:n]), train.y[:n]).backward()
            optimizer.step()
        return ledger.costs["setup"].seconds - before

    n, n_batch = LEAST_ROWS, min(setup.training.batch_size, len(train.y))
    while True:
        n = min(n, n_batch)
        train_once(n)  # the first batch of a size warms up
        seconds = train_once(n)
        if n == n_batch or seconds >= EPOCH_SECONDS:
            n_batches = int(EPOCH_SECONDS / seconds) if seconds > 0 else 1
            return min(n * max(1, n_batches), len(train.y))
        n *= 2


def _spread(split: Split, n: int) -> Split:
    """``n`` rows from all over a split; all rows if it has no more."""
    if n >= len(split.y):
        return split
    rows = torch.linspace(0, len(split.y) - 1, n, device=split.y.device).long()
    return Split(split.x[rows], split.y[rows])


def _repeated(split: Split, n: int) -> Split:
    """The first row, ``n`` times."""
    rows = torch.zeros(n, dtype=torch.int64, device=split.y.device)
    return Split(split.x[rows], split.y[rows])


def _difference(after: Cost, before: Cost) -> Cost:
    return Cost(
        seconds=after.seconds - before.seconds,
        cpu_seconds=after.cpu_seconds - before.cpu_seconds,
        forward=after.forward - before.forward,
        backward=after.backward - before.backward,
    )


def _rate(costs: list[Cost]) -> float:
    warm = costs[1:] or costs
    return sum(cost.seconds for cost in warm) / sum(map(_samples, warm))


def _samples(cost: Cost) -> int:
    return cost.forward + cost.backward

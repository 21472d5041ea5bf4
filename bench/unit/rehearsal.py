"""What the steps of a method count: a rehearsal on empty samples, with a trunk that is one layer.

Its counts are those of a whole trial, at a small part of the cost.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn

from augbench.bench.plan.spec import TrialSpec
from augbench.bench.store.ledger import Cost, Ledger
from augbench.bench.store.phases import PHASES, HarnessPhase
from augbench.bench.unit.job import FinalModel, build_method
from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Split, Views
from augbench.methods.policies.policy import Policy
from augbench.methods.training.method import Method, Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.transforms.transform import Transform, per_sample

Build = Callable[[Setup], Method]

# How long a search is, by the name of its option, and after how much of it a point is due. Every
# further point of a long search costs what the one before it did; that is checked.
POINTS_EVERY = {"n_samplings": "samplings_per_point", "epochs": "epochs_per_point"}
N_REHEARSED = 3  # points of a long search
# Rows of the two validation views in a short rehearsal: different, so that steps that look at one
# of them are not taken for steps that look at the other.
N_MODEL_VALID, N_POLICY_VALID = 3, 5


class Step(NamedTuple):
    """What one step of a method counts, by phase, and the policy that it shows, if any."""

    costs: Mapping[HarnessPhase, Cost]  # without seconds
    policy: Policy | None


def trial_steps(spec: TrialSpec, setup: Setup) -> list[Step]:
    """All steps of a trial up to its budget of steps, if no training stops early."""

    def rehearsed(options: dict[str, Any]) -> list[Step]:
        def build(setup: Setup) -> Method:
            return build_method(spec, setup, options)

        return rehearse(build, setup, "search", most=spec.budget.steps)

    for length, every in POINTS_EVERY.items():
        n, n_every = spec.options.get(length), spec.options.get(every)
        if not isinstance(n, int) or not isinstance(n_every, int) or spec.budget.steps is not None:
            continue
        n_left_out = n // max(1, n_every) - N_REHEARSED
        if n_left_out > 0:
            found = _by_point(rehearsed(spec.options | {length: n - n_left_out * n_every}))
            if len(found) >= N_REHEARSED and _costs(found[1]) == _costs(found[2]):
                return list(chain(found[0], *n_left_out * [found[1]], *found[1:]))
    return rehearsed(spec.options)


def retraining_steps(policy: Policy, setup: Setup) -> list[Step]:
    """All steps of a retraining under a policy, if it does not stop early."""
    return rehearse(lambda setup: FinalModel(retrain(setup, policy)), setup, "retrain")


def rehearse(
    build: Build, setup: Setup, phase: HarnessPhase, *, most: int | None = None
) -> list[Step]:
    """The steps of a method to its end, or the first ``most``.

    Two empty copies of the method go through them: a short one, whose views hold a few samples,
    takes every step; a whole one, whose views are as long as the real ones, takes over the state of
    the short one and counts for each kind of step that the short one meets for the first time.
    """
    meter = Ledger(clock=lambda: 0.0, cpu_clock=lambda: 0.0)
    short = build(_empty(setup, meter, _shortened(setup)))
    whole = build(_empty(setup, meter, setup.views))
    kinds: dict[str, Mapping[HarnessPhase, Cost]] = {}
    steps: list[Step] = []
    ended = False
    while not ended:
        before = deepcopy(short.state_dict())
        ended, costs = _count(short, phase, meter)
        kind = str(costs)
        if kind not in kinds:
            whole.load_state_dict(before)
            _, kinds[kind] = _count(whole, phase, meter)
        ended = ended or len(steps) + 1 == most
        artifact = short.artifact(last=ended)
        steps.append(Step(kinds[kind], artifact if isinstance(artifact, Policy) else None))
    return steps


def total(steps: Iterable[Step]) -> dict[HarnessPhase, Cost]:
    """What steps count together."""
    sums: dict[HarnessPhase, Cost] = {name: Cost() for name in PHASES}
    for step in steps:
        for name, cost in step.costs.items():
            sums[name].forward += cost.forward
            sums[name].backward += cost.backward
            sums[name].steps += cost.steps
    return sums


def _count(
    method: Method, phase: HarnessPhase, meter: Ledger
) -> tuple[bool, Mapping[HarnessPhase, Cost]]:
    """Take a step; whether it was the last, and what it counted."""
    meter.costs = {name: Cost() for name in PHASES}
    with meter.phase(phase):
        ended = method.step()
    return ended, meter.costs


def _by_point(steps: Iterable[Step]) -> list[list[Step]]:
    """The steps up to each point, that is to each policy that is shown."""
    groups: list[list[Step]] = [[]]
    for step in steps:
        groups[-1].append(step)
        if step.policy is not None:
            groups.append([])
    return groups


def _costs(steps: Iterable[Step]) -> list[Mapping[HarnessPhase, Cost]]:
    return [step.costs for step in steps]


def _shortened(setup: Setup) -> Views:
    """One batch to train on, and a few samples to validate."""
    lengths = (setup.training.batch_size, N_POLICY_VALID, N_MODEL_VALID)
    pairs = zip(setup.views, lengths, strict=True)
    return Views(*(Split(split.x[:n], split.y[:n]) for split, n in pairs))


def _empty(setup: Setup, meter: Ledger, views: Views) -> Setup:
    """The setup with nothing to compute: a few zeros for each sample, and no early stopping."""
    views = Views(*map(_emptied, views))

    def trunk() -> nn.Module:
        with global_seed(0):
            return nn.Sequential(nn.Flatten(), nn.Linear(views.train.x[0].numel(), setup.n_classes))

    return replace(
        setup,
        views=views,
        trunk=trunk,
        bank={name: _identity(transform) for name, transform in setup.bank.items()},
        training=replace(setup.training, patience=2**31),
        meter=meter,
        device=torch.device("cpu"),
    )


def _emptied(split: Split) -> Split:
    """(N, C, T) -> (N, 1, 2), (N, C, H, W) -> (N, 1, 2, 2), all 0; the labels stay."""
    return Split(torch.zeros(len(split.y), 1, *[2] * (split.x.ndim - 2)), split.y.cpu())


def _identity(transform: Transform) -> Transform:
    """A transform of the same name that does nothing, but passes a gradient of 0 on."""

    def draw(x: Tensor, generator: Generator | None) -> Tensor:
        return x.new_zeros(len(x))

    def apply(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + 0.0 * per_sample(magnitude, x)

    return replace(transform, draw=draw, apply=apply, affine=None)

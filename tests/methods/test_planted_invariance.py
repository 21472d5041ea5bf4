"""Do the searches find what is there? One transform leaves the labels as they are, four break them.

Three classes differ in the level of channel 0. Channel 1 holds an offset that has nothing to do
with the class, but 48 training windows are few enough to learn it by heart: shifting it about
(`planted`, magnitude 1 being the range it has in the data) is the one thing that helps. All other
transforms move windows to where another class is, or no class.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

from augbench.datasets.options.row import resolve
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split, Views
from augbench.methods import METHODS
from augbench.methods.policies.policy import Policy, operation_shares
from augbench.methods.training.method import Setup
from augbench.methods.transforms.transform import Transform, draw_signed, per_sample
from augbench.methods.transforms.ungraded import ungraded

N_CHANNELS, N_TIMES, N_CLASSES = 3, 4, 3
STEP = 1.6  # between the levels of two classes
OFFSET = 3.0  # the offset of channel 1 is uniform within this

# The budget of each search.
BUDGETS: dict[str, dict[str, Any]] = {
    "autoaugment": {"n_samplings": 30},
    "fast_autoaugment": {"n_samplings": 40, "reward": "mean"},
    "faster_autoaugment": {
        "epochs": 400,
        "learning_rate": 3e-3,
        "critic_learning_rate": 3e-3,  # the official 1e-3 needs more epochs
    },
    "dada": {"epochs": 150, "learning_rate": 2e-2},
    "adda": {"warm_start": 5, "epochs": 150, "learning_rate": 2e-2},
    "cadda": {"warm_start": 5, "epochs": 150, "learning_rate": 2e-2},
}


def of_level(change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.cat([change(x[:, :1]), x[:, 1:]], dim=1)


def bank() -> dict[str, Transform]:
    def shift(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        of_channel_1 = torch.tensor([[0.0], [1.0], [0.0]])
        return x + per_sample(OFFSET * magnitude * noise, x) * of_channel_1

    rows = [
        ungraded("negate", of_level(torch.neg), "here"),
        ungraded("mirror", of_level(lambda v: 2 * STEP - v), "here"),  # swaps the upper two classes
        Transform("planted", True, "path", OFFSET, "units", "here", draw_signed, shift),
        ungraded("raise", of_level(lambda v: v + STEP), "here"),  # to the next class
        ungraded("exchange", lambda x: x[:, [1, 0, 2]], "here"),  # level and offset
    ]
    return {row.name: row for row in rows}


def windows(n: int, generator: Generator) -> Split:
    y = torch.arange(n) % N_CLASSES
    x = 0.5 * torch.randn(n, N_CHANNELS, N_TIMES, generator=generator)
    level = STEP * (y - 0.5) + 0.4 * torch.randn(n, generator=generator)
    offset = OFFSET * (2 * torch.rand(n, generator=generator) - 1)
    x[:, 0] += level[:, None]
    x[:, 1] += offset[:, None]
    return Split(x, y)


class NoMeter:
    """Costs are not the question here."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        pass


def planted_setup(seed: int) -> Setup:
    def trunk() -> nn.Module:
        with global_seed(seed):
            return nn.Sequential(
                nn.Flatten(),
                nn.Linear(N_CHANNELS * N_TIMES, 32),
                nn.ReLU(),
                nn.Linear(32, N_CLASSES),
            )

    train, valid = (windows(n, torch.Generator().manual_seed(1000 * seed + n)) for n in (48, 1000))
    return Setup(
        views=Views(train, valid, valid),
        signal=Signal("eeg", (N_CHANNELS, N_TIMES)),
        n_classes=N_CLASSES,
        metric="accuracy",
        trunk=trunk,
        bank=bank(),
        training=TrainingSettings(epochs=30, batch_size=48, learning_rate=1e-2, beta1=0.9),
        seeds=Seeds(("planted", seed)),
        meter=NoMeter(),
        device=torch.device("cpu"),
    )


def found(name: str, seed: int, options: dict[str, Any]) -> dict[str, float]:
    """The share of each transform in the final policy."""
    row = METHODS[name]
    method = resolve(row.build)(planted_setup(seed), row.options(**options))
    while not method.step():
        pass
    policy = method.artifact(last=True)
    assert isinstance(policy, Policy)
    return operation_shares(policy)


def finds_it_in_four_of_five_seeds(name: str, options: dict[str, Any]) -> bool:
    """Whether the planted transform has the largest share; no seed is tried after the verdict."""
    n_found = n_missed = 0
    for seed in range(5):
        shares = found(name, seed, options)
        if max(shares, key=lambda transform: shares[transform]) == "planted":
            n_found += 1
        else:
            n_missed += 1
        if n_found == 4 or n_missed == 2:
            break
    return n_found == 4


@pytest.mark.parametrize("name", BUDGETS)
def test_the_planted_transform_gets_the_largest_share_in_four_of_five_seeds(name: str) -> None:
    assert finds_it_in_four_of_five_seeds(name, BUDGETS[name])


@pytest.mark.parametrize("name", ["dada", "adda"])
def test_straight_through_gradients_find_it_too(name: str) -> None:
    assert finds_it_in_four_of_five_seeds(name, {**BUDGETS[name], "estimator": "gumbel"})


@pytest.mark.parametrize("reward", ["any", "mean"])
def test_fast_autoaugments_official_reward_hardly_tells_policies_apart(reward: str) -> None:
    """Why it is searched by the mean above: by "any" it finds the planted one in 3 of 5 seeds.

    Five chances to be right are worth more than one: under "any" most random policies beat the
    empty one (0.90 to 0.92 against 0.84 to 0.87), though they break labels; under "mean" none does.
    """
    row = METHODS["fast_autoaugment"]
    method = resolve(row.build)(
        planted_setup(0), row.options(n_samplings=20, n_startup=20, reward=reward)
    )
    while not method.step():
        pass
    learned = method.learned()
    rewards, nothing = sorted(learned["rewards"]), learned["reward_of_nothing"]
    if reward == "any":
        assert rewards[10] > nothing
    else:
        assert rewards[-1] < nothing
    spread = rewards[-1] - rewards[10]
    assert (spread < 0.08) == (reward == "any")  # measured: 0.04 and 0.12


def test_policies_that_nobody_compared_do_not_have_it() -> None:
    assert not finds_it_in_four_of_five_seeds("random_policy", {})

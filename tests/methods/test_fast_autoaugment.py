"""Fast AutoAugment: the reward, the frozen network, the merged policy."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserError
from augbench.datasets.task import Split
from augbench.methods import fast_autoaugment
from augbench.methods.fast_autoaugment import FastAutoAugment
from augbench.methods.options.proposals import FastAutoAugmentOptions
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.policies.search_space import policy_at
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.transforms.ungraded import ungraded


def build(setup: Setup, **options: Any) -> FastAutoAugment:
    chosen = {"n_samplings": 4, "samplings_per_point": 2, "pretrain_epochs": 3, **options}
    return fast_autoaugment.build(setup, FastAutoAugmentOptions(**chosen))


class Threshold(nn.Module):
    """Says class 1 where the first number is above 0; learns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        first = self.scale * x[:, 0, 0]
        return torch.stack([-first, first], dim=1)


@pytest.fixture
def flipping(setup: Setup) -> Setup:
    """Two classes that a sign tells, and one transform, which changes it."""
    x = torch.ones(400, 2, 16)
    x[::2] = -1.0
    y = (x[:, 0, 0] > 0).long()
    views = setup.views._replace(
        train=Split(x, y), policy_valid=Split(x, y), model_valid=Split(x, y)
    )
    return replace(
        setup,
        views=views,
        n_classes=2,
        metric="accuracy",
        trunk=Threshold,
        bank={"flip": ungraded("flip", torch.neg, "here")},
    )


@pytest.mark.parametrize(("reward", "expected"), [("any", 1 - 0.7**5), ("mean", 0.3)])
def test_a_sample_counts_where_any_of_five_copies_is_right_or_by_the_mean(
    reward: str, expected: float, flipping: Setup
) -> None:
    method = build(flipping, reward=reward)
    policy = Policy((Subpolicy((Operation("flip", 0.7, None),)),))
    assert method._reward(policy, 0) == pytest.approx(expected, abs=0.06)  # 400 samples
    assert method._reward(Policy(), 0) == 1.0


def test_the_metric_of_the_task_weighs_the_classes(flipping: Setup) -> None:
    """Nine of ten windows are of class 1, and only theirs are right."""
    x = torch.ones(100, 2, 16)
    y = torch.ones(100, dtype=torch.int64)
    y[:10] = 0
    views = flipping.views._replace(policy_valid=Split(x, y))
    rewards = [
        build(replace(flipping, views=views, metric=metric))._reward(Policy(), 0)
        for metric in ("accuracy", "balanced_accuracy")
    ]
    assert rewards == pytest.approx([0.9, 0.5])


def test_the_network_is_trained_without_a_policy_and_frozen_at_its_best(setup: Setup) -> None:
    method = build(setup)
    own = retrain(
        setup,
        Policy(),
        seeds=setup.seeds.child("pretraining"),
        settings=replace(setup.training, epochs=3),
    )
    for _ in range(3):
        method.step()
        own.step()
    best = own.load_best().state_dict()
    method.step()
    method.step()
    assert all(
        torch.equal(each, best[name])
        for name, each in method.pretraining.model.state_dict().items()
    )
    assert method.learned()["reward_of_nothing"] == own.best_valid


def test_the_reward_of_nothing_is_told_from_the_first_trial_on(setup: Setup) -> None:
    method = build(setup)
    while not method.trials:
        assert method.learned()["rewards"] == []
        method.step()
    assert method.learned()["reward_of_nothing"] is not None
    assert method.learned()["reward_of_nothing"] == method._reward(Policy(), 0)


def test_the_best_trials_are_merged(setup: Setup) -> None:
    for n_best in (1, 3, 10):
        method = build(setup, n_best=n_best)
        while not method.step():
            pass
        best = sorted(method.trials, key=lambda trial: -trial.value)[:n_best]
        expected = [s for trial in best for s in policy_at(trial.slots, setup.bank).subpolicies]
        shown = method.artifact()
        assert shown is not None
        assert list(shown.subpolicies) == expected
        assert len(expected) == 5 * min(n_best, 4)


def test_a_point_comes_every_so_many_trials_and_none_before_the_first(setup: Setup) -> None:
    method = build(setup, n_samplings=5)
    due = []
    for step in range(1, 9):
        ended = method.step()
        if method.artifact() is not None:
            due.append(step)
    assert ended
    assert due == [5, 7, 8]  # after 3 epochs: trials 2 and 4, and the last


def test_what_a_trial_is_worth_does_not_depend_on_the_trials_before(setup: Setup) -> None:
    """Each draws from a stream of its own number: one that is repeated gives the same."""
    method = build(setup)
    while not method.step():
        pass
    for n, trial in enumerate(list(method.trials)):
        method.trials = method.trials[:n]
        assert method._reward(policy_at(trial.slots, setup.bank), n) == trial.value
        method.trials = [*method.trials, trial]


@pytest.mark.parametrize(
    "name",
    ["n_samplings", "samplings_per_point", "n_startup", "n_candidates", "n_copies", "n_best"],
)
def test_numbers_below_one_are_refused(name: str, setup: Setup) -> None:
    with pytest.raises(UserError, match=f"{name} is 0; it has to be 1 or more"):
        build(setup, **{name: 0})


def test_no_epochs_of_pretraining_are_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match="pretrain_epochs is 0"):
        build(setup, pretrain_epochs=0)


def test_an_empty_bank_is_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match="at least one"):
        build(replace(setup, bank={}))

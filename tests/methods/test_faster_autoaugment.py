"""Faster AutoAugment: its halves, its turns, its points."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Split
from augbench.methods import faster_autoaugment
from augbench.methods.faster_autoaugment import FasterAutoAugment
from augbench.methods.options.gradients import FasterAutoAugmentOptions
from augbench.methods.training.method import Setup


def build(setup: Setup, **options: Any) -> FasterAutoAugment:
    return faster_autoaugment.build(setup, FasterAutoAugmentOptions(**options))


def test_it_never_holds_a_window_against_itself(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On equal images the policy would learn the identity (issue #12 of moskomule/dda)."""
    pairs: list[tuple[Split, Split]] = []
    update = FasterAutoAugment._update

    def spy(self: FasterAutoAugment, real: Split, other: Split, noise: Any) -> Tensor:
        pairs.append((real, other))
        return update(self, real, other, noise)

    monkeypatch.setattr(FasterAutoAugment, "_update", spy)
    method = build(setup, epochs=3)
    for _ in range(3):
        method.step()
    assert len(pairs) == 3 * 4  # 36 windows: three batches of 10, one of 6
    for real, other in pairs:
        halves = [set(half.x[:, 0, 0].tolist()) for half in (real, other)]
        assert not halves[0] & halves[1]
        assert len(halves[0]) == len(halves[1]) == len(real.y)
    first, second = (
        {x for real, _ in pairs[4 * k : 4 * k + 4] for x in real.x[:, 0, 0].tolist()}
        for k in (0, 1)
    )
    assert first != second  # every epoch halves anew


def test_it_learns_from_the_training_view_alone(setup: Setup) -> None:
    learned = []
    for views in (setup.views, setup.views._replace(policy_valid=setup.views.train)):
        method = build(replace(setup, views=views), epochs=2)
        method.step()
        learned.append(method.learned())
    assert learned[0] == learned[1]


def test_its_choices_begin_undecided(setup: Setup) -> None:
    """Uniform logits at a temperature of 0.05 would begin with 2 of 12 operations (METHODS.md)."""
    method = build(setup)
    assert method.policy.entropy == pytest.approx(torch.tensor(3.0).log().item(), abs=0.01)


def test_the_policys_step_leaves_the_critic_alone_and_the_critics_the_policy(setup: Setup) -> None:
    method = build(setup, epochs=2)
    seen: list[str] = []

    def keep(name: str, optimizer: torch.optim.Optimizer, other: torch.nn.Module) -> None:
        step = optimizer.step

        def stepped() -> None:
            before = [each.clone() for each in other.parameters()]
            step()
            after = list(other.parameters())
            assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
            seen.append(name)

        optimizer.step = stepped  # type: ignore[method-assign, assignment]

    keep("critic", method.critic_optimizer, method.policy)
    keep("policy", method.policy_optimizer, method.critic)
    method.step()
    assert seen == ["critic", "policy"] * 4


def test_a_point_comes_every_so_many_epochs(setup: Setup) -> None:
    method = build(setup, epochs=5, epochs_per_point=2)
    due = []
    for epoch in range(1, 6):
        assert method.step() == (epoch == 5)
        if method.artifact() is not None:
            due.append(epoch)
    assert due == [2, 4, 5]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("epochs", 0),
        ("epochs_per_point", 0),
        ("learning_rate", 0.0),
        ("critic_learning_rate", 0.0),
        ("temperature", 0.0),
        ("class_weight", -0.1),
        ("learning_rate", float("inf")),
    ],
)
def test_numbers_out_of_range_are_refused(option: str, value: float, setup: Setup) -> None:
    with pytest.raises(UserError, match=f"{option} is {value}"):
        build(setup, **{option: value})


def test_batches_without_halves_are_refused(setup: Setup) -> None:
    for size in (0, 1):
        with pytest.raises(UserError, match="at least 2 samples"):
            build(setup, batch_size=size)

"""Faster AutoAugment: its halves, its turns, its points."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds, global_seed
from augbench.datasets.task import Signal, Split, Views
from augbench.datasets.trunks import TRUNKS
from augbench.methods import faster_autoaugment
from augbench.methods.faster_autoaugment import FasterAutoAugment
from augbench.methods.options.gradients import FasterAutoAugmentOptions
from augbench.methods.training.method import Setup
from augbench.methods.transforms.bank import make_bank


class NoMeter:
    """Costs are not the question here."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        pass


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
    method = build(setup, epochs=3, batch_size=10)
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
    """Uniform logits at a temperature of 0.05 would begin with 2 of 12 operations."""
    method = build(setup)
    assert method.policy.entropy == pytest.approx(torch.tensor(3.0).log().item(), abs=0.01)


def test_the_policy_learns_from_a_draw_of_its_own(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the augmented half that the critic has just learned to tell apart."""
    drawn: list[tuple[Tensor, Tensor]] = []
    method = build(setup, epochs=1)
    mix = method.policy.mix

    def spy(x: Tensor, y: Tensor, generator: Any) -> Tensor:
        moved = mix(x, y, generator)
        drawn.append((x, moved.detach()))
        return moved

    monkeypatch.setattr(method.policy, "mix", spy)
    method.step()
    assert len(drawn) % 2 == 0
    for (critics, first), (policys, second) in zip(drawn[::2], drawn[1::2], strict=True):
        assert torch.equal(critics, policys)
        assert not torch.equal(first, second)


def waves(n: int) -> Tensor:
    """(n, 3, 96): slow waves of random frequencies and phases, of deviation 1."""
    generator = torch.Generator().manual_seed(1)
    seconds = torch.arange(96) / 64
    hertz = 2 + 6 * torch.rand(n, 3, 1, generator=generator)
    phase = 2 * torch.pi * torch.rand(n, 3, 1, generator=generator)
    return 2**0.5 * torch.sin(2 * torch.pi * hertz * seconds + phase)


@pytest.fixture(scope="module")
def judged() -> dict[str, tuple[Tensor, Tensor]]:
    """What a critic says of windows and of others with added noise, in both modes of its trunk."""
    signal = Signal("eeg", (3, 96), (), 64.0)
    x, y = waves(400), torch.arange(400) % 3
    train, valid = Split(x[:200], y[:200]), Split(x[200:], y[200:])

    def trunk() -> torch.nn.Module:
        with global_seed(0):
            return TRUNKS["eegnet"](signal, 3)

    setup = Setup(
        views=Views(train, valid, valid),
        signal=signal,
        n_classes=3,
        metric="accuracy",
        trunk=trunk,
        bank=make_bank(["gaussian_noise"], signal, {"gaussian_noise": 1.0}),
        training=TrainingSettings(epochs=1, batch_size=8, learning_rate=1e-3),
        seeds=Seeds(("critic",)),
        meter=NoMeter(),
        device=torch.device("cpu"),
    )
    method = build(setup, epochs=14, learning_rate=1e-12)
    with torch.no_grad():
        method.policy.probabilities.fill_(0.99)
        method.policy.magnitudes.fill_(1.0)
    while not method.step():
        pass
    found = {}
    with torch.no_grad():
        moved = method.policy.mix(valid.x, valid.y, torch.Generator().manual_seed(5))
        for mode in ("evaluation", "training"):
            method.critic.train(mode == "training")
            real, other = method._judge(valid.x, moved)
            found[mode] = (real.realness, other.realness)
    return found


@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_the_critic_tells_augmented_windows_from_others(
    mode: str, judged: dict[str, tuple[Tensor, Tensor]]
) -> None:
    """On a trunk with batch norm: a critic of a turned sign would have an AUC near 0."""
    real, other = judged[mode]
    auc = (real[:, None] > other[None]).double().mean().item()
    assert auc > 0.8


def test_a_critic_that_does_not_learn_asks_for_no_slopes_of_weights(setup: Setup) -> None:
    """torch calls the backward pass of an operation in Python with all that it could need."""
    method = build(setup)
    method.critic.train()  # without dropout
    x = setup.views.train.x[:4]
    outputs = [method._judge(x, x + 1, learns=learns)[1].realness for learns in (True, False)]
    assert torch.equal(*outputs)
    assert [each.requires_grad for each in outputs] == [True, False]


def test_batches_by_default_are_large_enough_for_the_critic(setup: Setup) -> None:
    small = replace(setup, training=replace(setup.training, batch_size=8))
    large = replace(setup, training=replace(setup.training, batch_size=64))
    assert [build(each)._batch_size for each in (small, large)] == [32, 64]
    assert build(large, batch_size=8)._batch_size == 8


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
    assert seen == ["critic", "policy"] * 2  # 36 windows: batches of 32 and 4


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

"""AutoAugment: the space, the sampler, the loop."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from augbench.datasets.errors import UserError
from augbench.methods import autoaugment
from augbench.methods.options.proposals import AutoAugmentOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.search_space import N_SLOTS, policy_at, random_slots
from augbench.methods.policies.slot import Slot
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain

QUICK: dict[str, Any] = {
    "n_samplings": 5,
    "samplings_per_point": 2,
    "n_startup": 2,
    "child_epochs": 2,
}


def steps(setup: Setup, **options: Any) -> list[tuple[Policy | None, dict[str, Any]]]:
    """What there is to see after each step until the end."""
    method = autoaugment.build(setup, AutoAugmentOptions(**{**QUICK, **options}))
    seen, finished = [], False
    while not finished:
        finished = method.step()
        seen.append((method.artifact(), method.learned()))
    return seen


def test_a_point_of_the_space_becomes_five_subpolicies_of_two_operations(setup: Setup) -> None:
    slots = [Slot("offset", k / 10, 1 - k / 10) for k in range(N_SLOTS)]
    slots[3] = Slot("negate", 0.5, 0.9)
    policy = policy_at(slots, setup.bank)
    assert [len(s.operations) for s in policy.subpolicies] == [2] * 5
    assert {s.weight for s in policy.subpolicies} == {1.0}
    flat = [o for s in policy.subpolicies for o in s.operations]
    assert flat[3].transform == "negate"
    assert flat[3].magnitude is None  # it has none
    assert [o.probability for o in flat[4:]] == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert flat[9].magnitude == pytest.approx(0.1)


def test_random_points_cover_the_whole_space(setup: Setup) -> None:
    generator = torch.Generator().manual_seed(0)
    slots = [slot for _ in range(200) for slot in random_slots(setup.bank, generator)]
    for name in setup.bank:
        share = sum(slot.transform == name for slot in slots) / len(slots)
        assert share == pytest.approx(1 / len(setup.bank), abs=0.04)
    for numbers in ([s.probability for s in slots], [s.magnitude for s in slots]):
        assert min(numbers) < 0.01
        assert max(numbers) > 0.99
        assert sum(numbers) / len(numbers) == pytest.approx(0.5, abs=0.03)


def test_one_step_is_one_epoch_and_a_point_comes_every_so_many_samplings(setup: Setup) -> None:
    seen = steps(setup)
    assert len(seen) == 5 * 2
    due = [n for n, (artifact, _) in enumerate(seen, start=1) if artifact is not None]
    assert due == [4, 8, 10]  # after samplings 2 and 4, and after the last


def test_it_shows_the_best_policy_so_far(setup: Setup) -> None:
    seen = steps(setup)
    method = autoaugment.build(setup, AutoAugmentOptions(**QUICK))
    while not method.step():
        pass
    points = [(shown, told["rewards"]) for shown, told in seen if shown is not None]
    assert len(points) == 3
    for shown, rewards in points:
        best = method.samplings[rewards.index(max(rewards))]  # of equals the oldest
        assert shown == policy_at(best.slots, setup.bank)


def test_a_reward_is_the_best_epoch_of_a_training_under_that_very_policy(setup: Setup) -> None:
    method = autoaugment.build(setup, AutoAugmentOptions(**QUICK))
    while not method.samplings:
        method.step()
    first = method.samplings[0]
    child = retrain(
        setup,
        policy_at(first.slots, setup.bank),
        seeds=setup.seeds.child("child", 0),
        settings=replace(setup.training, epochs=2),
    )
    child.step()
    child.step()
    assert first.value == child.best_valid


def test_children_and_the_final_retraining_draw_from_streams_of_their_own(setup: Setup) -> None:
    seeds = [setup.seeds, setup.seeds.child("child", 0), setup.seeds.child("child", 1)]
    assert len({each.integer("batches", 1) for each in seeds}) == 3
    method = autoaugment.build(setup, AutoAugmentOptions(**QUICK))
    paths = []
    for _ in range(3):
        method.step()
        if method.child is not None:
            paths.append(method.child.training.seeds.path)
    assert paths == [(*setup.seeds.path, "child", 0), (*setup.seeds.path, "child", 1)]


def test_a_child_that_diverges_is_worth_0_and_the_search_goes_on(setup: Setup) -> None:
    class Bursting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(32, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.dense(x.flatten(1)) / 0.0 * 0.0  # type: ignore[no-any-return]

    seen = steps(replace(setup, trunk=Bursting))
    artifact, learned = seen[-1]
    assert learned == {
        "best_valid": 0.0,
        "rewards": [0.0] * 5,
        "epochs": [1] * 5,
        "diverged": [0, 1, 2, 3, 4],
    }
    assert artifact is not None


def test_gradient_free_transforms_are_searched_too(setup: Setup) -> None:
    method = autoaugment.build(setup, AutoAugmentOptions(**QUICK))
    while not method.step():
        pass
    assert "quantize" in {slot.transform for s in method.samplings for slot in s.slots}


@pytest.mark.parametrize(
    "name", ["n_samplings", "samplings_per_point", "n_startup", "n_candidates", "child_epochs"]
)
def test_numbers_below_one_are_refused(name: str, setup: Setup) -> None:
    with pytest.raises(UserError, match=f"{name} is 0"):
        autoaugment.build(setup, AutoAugmentOptions(**{name: 0}))


def test_an_empty_bank_is_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match="at least one"):
        autoaugment.build(replace(setup, bank={}), AutoAugmentOptions())

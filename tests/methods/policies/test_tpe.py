"""What Optuna's sampler proposes, asked one point at a time."""

import pytest

from augbench.methods.policies.search_space import N_SLOTS
from augbench.methods.policies.slot import Slot
from augbench.methods.policies.tpe import Scored, propose


def planted_value(slots: tuple[Slot, ...]) -> float:
    """Best where every slot holds `good` at magnitude 0.7."""
    worth = [(slot.transform == "good") + 1 - abs(slot.magnitude - 0.7) for slot in slots]
    return sum(worth) / len(worth)


def search(n: int, seed: int, *, n_startup: int = 10) -> list[float]:
    past: list[Scored] = []
    names = ["good", "bad", "worse", "worst"]
    for k in range(n):
        slots = propose(past, names, seed=1000 * seed + k, n_startup=n_startup, n_candidates=24)
        past.append(Scored(slots, planted_value(slots)))
    return [scored.value for scored in past]


def test_its_proposals_get_better_than_random_ones_on_a_planted_objective() -> None:
    found = search(40, seed=0)
    at_random = search(40, seed=0, n_startup=40)
    assert found[:10] == at_random[:10]  # the start-up draws
    mean = sum(at_random) / 40
    spread = (sum((v - mean) ** 2 for v in at_random) / 39) ** 0.5
    assert sum(found[-15:]) / 15 > mean + spread
    assert max(found) > max(at_random)


def test_start_up_draws_differ_from_each_other() -> None:
    assert len(set(search(10, seed=1))) == 10


def test_a_proposal_depends_on_its_arguments_alone_and_says_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    slots = tuple(Slot("good", 0.5, k / 10) for k in range(N_SLOTS))
    past = [Scored(slots, 0.1 * k) for k in range(12)]
    first, second, other = (
        propose(past, ["good", "bad"], seed=seed, n_startup=10, n_candidates=24)
        for seed in (3, 3, 4)
    )
    assert first == second != other
    assert capfd.readouterr() == ("", "")

"""Samplings that a search makes in batches: the same at home, elsewhere, and after a resume."""

from typing import Any

import pytest

from augbench.datasets.errors import UserError
from augbench.datasets.options.row import resolve
from augbench.methods import METHODS
from augbench.methods.training.method import Setup
from augbench.methods.training.sampling import Proposal, Reached, Samples

QUICK: dict[str, dict[str, Any]] = {
    "autoaugment": {"n_startup": 2, "child_epochs": 2},
    "random_search": {"child_epochs": 2},
    "fast_autoaugment": {"n_startup": 2, "pretrain_epochs": 2},
}
N = 7
every_search = pytest.mark.parametrize("name", QUICK)


def build(setup: Setup, name: str, **options: Any) -> Any:
    row = METHODS[name]
    return resolve(row.build)(setup, row.options(n_samplings=N, **QUICK[name], **options))


def found(method: Any) -> tuple[Any, Any]:
    """What the search has tried and reached."""
    return method.state_dict().get("samplings", method.state_dict().get("trials")), method.learned()


def at_home(setup: Setup, name: str, **options: Any) -> Any:
    method = build(setup, name, **options)
    while not method.step():
        pass
    return method


def elsewhere(setup: Setup, name: str, **options: Any) -> Any:
    """Each batch is done by other methods, the last of its samplings first."""
    method = build(setup, name, **options)
    assert isinstance(method, Samples)
    ended = False
    while not ended:
        batch = method.proposals()
        if not batch:  # the pretraining
            ended = method.step()
            continue
        reached = {
            each.number: by_another(setup, name, method, each, options) for each in batch[::-1]
        }
        for proposal in batch:
            ended = method.tell(proposal, reached[proposal.number])
    return method


def by_another(
    setup: Setup, name: str, method: Any, proposal: Proposal, options: dict[str, Any]
) -> Reached:
    other = build(setup, name, **options)
    other.load_state_dict(method.state_dict())
    sampling = other.begin(Proposal.from_json(proposal.to_json()))
    while not sampling.step():
        pass
    again = other.begin(proposal)  # a process that was killed after the last step
    again.load_state_dict(sampling.state_dict())
    assert again.reached() == sampling.reached()
    return Reached(**sampling.reached()._asdict())


@every_search
def test_it_does_not_matter_where_samplings_are_done(setup: Setup, name: str) -> None:
    home, away = (do(setup, name, parallel=3) for do in (at_home, elsewhere))
    assert found(away) == found(home)
    assert away.artifact() == home.artifact()


@every_search
def test_a_search_resumed_within_a_batch_makes_the_same_proposals(setup: Setup, name: str) -> None:
    whole, method = at_home(setup, name, parallel=3), build(setup, name, parallel=3)
    ended = False
    while not ended:
        ended = method.step()
        state = method.state_dict()
        method = build(setup, name, parallel=3)
        method.load_state_dict(state)
    assert found(method) == found(whole)


@pytest.mark.parametrize("name", ["autoaugment", "fast_autoaugment"])
def test_a_batch_knows_the_values_of_the_batches_before_alone(setup: Setup, name: str) -> None:
    """The first batch is the start-up; its values decide on the second, not those within it."""
    method = build(setup, name, parallel=3)
    while not method.proposals():
        method.step()

    def second_batch(values: list[float], own: float) -> list[Proposal]:
        other = build(setup, name, parallel=3)
        other.load_state_dict(method.state_dict())
        for proposal, value in zip(other.proposals(), values, strict=True):
            other.tell(proposal, Reached(value, 2))
        first, second, third = other.proposals()
        other.tell(first, Reached(own, 2))
        assert other.proposals() == [second, third]
        return [first, second, third]

    low, high = (second_batch([0.1, 0.5, 0.9], own) for own in (0.0, 1.0))
    assert low == high
    assert len({proposal.slots for proposal in low}) == 3
    assert second_batch([0.9, 0.5, 0.1], 0.0) != low


def test_random_search_draws_the_same_in_batches(setup: Setup) -> None:
    assert found(at_home(setup, "random_search", parallel=4)) == found(
        at_home(setup, "random_search")
    )


@every_search
def test_one_sampling_at_a_time_is_never_for_others(setup: Setup, name: str) -> None:
    method = build(setup, name)
    ended = False
    while not ended:
        assert len(method.proposals()) <= 1
        ended = method.step()
    assert method.proposals() == []


@every_search
def test_a_batch_has_a_sampling_at_least(setup: Setup, name: str) -> None:
    with pytest.raises(UserError, match="parallel is 0; it has to be 1 or more"):
        build(setup, name, parallel=0)


def test_no_policy_is_tried_before_the_end_of_the_pretraining(setup: Setup) -> None:
    method = build(setup, "fast_autoaugment", parallel=3)
    assert method.proposals() == []
    with pytest.raises(UserError, match="before the end of the pretraining"):
        method.begin(Proposal(0, ()))

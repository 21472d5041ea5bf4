"""DADA and ADDA: what each update sees, which way it goes, what it costs."""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor

import augbench.methods.training.bilevel
from augbench.datasets.errors import UserError
from augbench.datasets.task import Split
from augbench.methods import adda, dada
from augbench.methods.gradients.hypergradient import Hypergradient
from augbench.methods.options.gradients import AddaOptions, DadaOptions
from augbench.methods.policies.policy import operation_shares
from augbench.methods.training.bilevel import Bilevel
from augbench.methods.training.method import Setup
from augbench.methods.training.training import DivergedError


def an_adda(setup: Setup, **options: Any) -> Bilevel:
    return adda.build(setup, AddaOptions(**{"warm_start": 1, "epochs": 4, **options}))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each hypergradient was asked for."""
    found: list[dict[str, Any]] = []
    real = augbench.methods.training.bilevel.hypergradient

    def spy(model: Any, train: Split, valid: Split, **options: Any) -> Hypergradient:
        found.append({"train": train, "valid": valid, **options})
        return real(model, train, valid, **options)

    monkeypatch.setattr(augbench.methods.training.bilevel, "hypergradient", spy)
    return found


def test_each_update_validates_on_a_fresh_batch(setup: Setup, calls: list[dict[str, Any]]) -> None:
    """VDIGPKU/DADA takes the same first batch of its loader in every update."""
    method = an_adda(setup, outer_batch_size=6)
    for _ in range(5):
        method.step()
    assert len(calls) == 4 * 4  # 36 windows in batches of 10
    batches = [tuple(call["valid"].x[:, 0, 0].tolist()) for call in calls]
    assert {len(batch) for batch in batches} == {6}
    assert len(set(batches)) == len(batches)
    seen = Counter(value for batch in batches for value in batch)
    everything = set(setup.views.policy_valid.x[:, 0, 0].tolist())
    assert set(seen) == everything
    assert max(seen.values()) < 4 * min(seen.values()) + 8  # none is left to a corner


def test_an_outer_batch_is_four_batches_unless_it_is_told(
    setup: Setup, calls: list[dict[str, Any]]
) -> None:
    few = replace(setup, training=replace(setup.training, batch_size=4))
    an_adda(few, warm_start=0).step()
    assert {len(call["valid"].y) for call in calls} == {16}
    calls.clear()
    an_adda(few, warm_start=0, outer_batch_size=5).step()
    assert {len(call["valid"].y) for call in calls} == {5}


def test_labels_go_with_their_windows(setup: Setup, calls: list[dict[str, Any]]) -> None:
    method = an_adda(setup)
    method.step()
    method.step()
    label_of = {
        float(x[0, 0]): int(y)
        for x, y in zip(setup.views.policy_valid.x, setup.views.policy_valid.y, strict=True)
    }
    for call in calls:
        labels = [label_of[float(x[0, 0])] for x in call["valid"].x]
        assert call["valid"].y.tolist() == labels


def test_the_step_that_is_unrolled_is_that_of_the_trunk_at_the_moment(
    setup: Setup, calls: list[dict[str, Any]]
) -> None:
    training = replace(setup.training, schedule="cosine", learning_rate=1e-2)
    method = an_adda(replace(setup, training=training))
    for _ in range(5):
        method.step()
    rates = [call["rate"] for call in calls]
    assert rates == sorted(rates, reverse=True)
    assert len(set(rates)) == 4  # one an epoch
    assert max(rates) < 1e-2


def test_a_warm_start_trains_as_none_does_and_leaves_the_policy_alone(
    setup: Setup, calls: list[dict[str, Any]]
) -> None:
    method = an_adda(setup, warm_start=3)
    before = {name: each.clone() for name, each in method.policy.state_dict().items()}
    for _ in range(3):
        method.step()
        assert method.artifact() is None
        assert method.artifact(last=True) is None
    assert not calls
    assert all(torch.equal(each, before[name]) for name, each in method.policy.state_dict().items())
    method.step()
    assert calls
    assert any(
        not torch.equal(each, before[name]) for name, each in method.policy.state_dict().items()
    )


def test_a_point_comes_every_so_many_epochs_of_search(setup: Setup) -> None:
    method = an_adda(setup, warm_start=1, epochs=5, epochs_per_point=2)
    due = []
    for epoch in range(1, 7):
        ended = method.step()
        assert ended == (epoch == 6)
        if method.artifact() is not None:
            due.append(epoch)
    assert due == [3, 5, 6]


def test_what_helps_grows_and_what_harms_shrinks(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sign, end to end: an invented hypergradient that likes `negate` and hates `offset`."""
    names = [name for name, row in setup.bank.items() if row.gradient != "none"]

    for estimator in ("relax", "gumbel"):
        method = an_adda(setup, warm_start=0, epochs=30, learning_rate=5e-2, estimator=estimator)
        augment = method.policy.augment
        last: dict[str, Any] = {}

        def spy(*arguments: Any, augment: Any = augment, last: Any = last) -> Any:
            last["augmented"] = augment(*arguments)
            last["start"] = arguments[0]
            return last["augmented"]

        monkeypatch.setattr(method.policy, "augment", spy)

        def invented(
            model: Any, train: Split, valid: Split, last: Any = last, **options: Any
        ) -> Hypergradient:
            """A validation loss that is the mean of a cost of what was done to each sample."""
            drawn, start = last["augmented"], last["start"]
            fired = drawn.fires.choice[..., 0]
            liked = ((drawn.choices.choice == names.index("negate")) & fired).sum(1)
            hated = ((drawn.choices.choice == names.index("offset")) & fired).sum(1)
            cost = (hated - liked).to(start.dtype)
            # By the inputs: moving on in the direction of what was done does the same again.
            moved = (train.x - start).detach()
            size = moved.flatten(1).square().sum(1).clamp(min=1e-6)
            slope = moved * (cost / size)[:, None, None]
            return Hypergradient(slope / len(cost), cost / len(cost))

        monkeypatch.setattr(augbench.methods.training.bilevel, "hypergradient", invented)
        while not method.step():
            pass
        shares = operation_shares(method.freeze())
        assert shares["negate"] > 0.45, (estimator, shares)
        assert shares["offset"] < 0.25, (estimator, shares)


def test_differences_and_the_exact_way_move_the_policy_alike(setup: Setup) -> None:
    moves = []
    for way in ("exact", "differences"):
        method = an_adda(setup, warm_start=0, hypergradient=way, estimator="gumbel")
        taken: list[Tensor] = []
        step = method.optimizer.step

        def keep(method: Bilevel = method, taken: list[Tensor] = taken, step: Any = step) -> None:
            gradient = method.policy.magnitudes.grad
            assert gradient is not None
            taken.append(gradient.clone())
            step()

        method.optimizer.step = keep  # type: ignore[method-assign, assignment]
        method.step()
        moves.append(taken[0])  # of equal weights, equal draws
    similar = torch.cosine_similarity(moves[0].flatten(), moves[1].flatten(), dim=0)
    assert similar > 0.9


def test_dada_chooses_among_pairs_of_different_transforms(setup: Setup) -> None:
    method = dada.build(setup, DadaOptions(epochs=2, n_best=3))
    usable = [name for name, row in setup.bank.items() if row.gradient != "none"]
    method.step()
    method.step()
    policy = method.artifact()
    assert policy is not None
    pairs = [tuple(o.transform for o in s.operations) for s in policy.subpolicies]
    assert set(pairs) == set(combinations(usable, 2))


def test_a_class_wise_policy_is_one_for_each_class(setup: Setup) -> None:
    method = adda.build_class_wise(setup, AddaOptions(warm_start=0, epochs=2))
    method.step()
    method.step()
    policy = method.artifact()
    assert policy is not None
    assert len(policy.by_class) == setup.n_classes
    assert not policy.subpolicies


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("warm_start", -1, "0 or more"),
        ("epochs", 0, "1 or more"),
        ("epochs_per_point", 0, "1 or more"),
        ("outer_batch_size", 0, "1 or more"),
        ("learning_rate", 0.0, "more than 0"),
        ("learning_rate", float("inf"), "more than 0"),
        ("control_learning_rate", -1.0, "more than 0"),
        ("control_learning_rate", float("inf"), "more than 0"),
    ],
)
def test_numbers_out_of_range_are_refused(
    option: str, value: float, rule: str, setup: Setup
) -> None:
    with pytest.raises(UserError, match=f"{option} is {value}; it has to be {rule}"):
        an_adda(setup, **{option: value})


def test_a_bank_without_gradients_is_refused(setup: Setup) -> None:
    alone = {"quantize": setup.bank["quantize"]}
    with pytest.raises(UserError, match=r"no transform with a gradient.*quantize"):
        an_adda(replace(setup, bank=alone))
    with pytest.raises(UserError, match="fewer than 2"):
        dada.build(replace(setup, bank={"blur": setup.bank["blur"]}), DadaOptions())


def test_an_outer_batch_beyond_the_view_is_the_whole_view(
    setup: Setup, calls: list[dict[str, Any]]
) -> None:
    method = an_adda(setup, warm_start=0, outer_batch_size=1000)
    method.step()
    assert {len(call["valid"].y) for call in calls} == {20}


def test_differences_that_bfloat16_would_round_away_are_refused(setup: Setup) -> None:
    coarse = replace(setup, training=replace(setup.training, precision="bfloat16"))
    an_adda(coarse)
    with pytest.raises(UserError, match=r"differences.*rounds away"):
        an_adda(coarse, hypergradient="differences")


def test_no_pairs_to_show_are_refused(setup: Setup) -> None:
    with pytest.raises(UserError, match="n_best is 0"):
        dada.build(setup, DadaOptions(n_best=0))


def test_a_policy_that_is_not_finite_has_diverged(setup: Setup) -> None:
    method = an_adda(setup, warm_start=0)
    method.step()
    with torch.no_grad():
        method.policy.probabilities[0] = torch.nan
    with pytest.raises(DivergedError, match="the policy of epoch 2 is not finite"):
        method.step()

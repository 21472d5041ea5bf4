"""Policies as data, and what applying one does to a batch."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.methods.policies.policy import NOTHING, Operation, Policy, Subpolicy, UpTo
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.transforms.transform import Transform, per_sample

OFFSET = Operation("offset", 0.25, 0.5)
NEGATE = Operation("negate", 1.0, None)
MIXED = Policy((Subpolicy((OFFSET, NEGATE)), Subpolicy((NEGATE,), weight=3.0)))
BY_CLASS = Policy(by_class=((Subpolicy((NEGATE,)),), ()))
DRAWN = Policy((Subpolicy((Operation("offset", 0.25, UpTo(0.5)), NEGATE)), NOTHING))
SHARED = replace(MIXED, per="batch")


@pytest.fixture
def marks() -> dict[str, Transform]:
    """Transforms that leave a mark: `add` adds the magnitude, `double` doubles."""

    def nothing(x: Tensor, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(len(x))

    def add(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + per_sample(magnitude, x)

    def double(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x * (1 + per_sample(magnitude, x))

    return {
        "add": Transform("add", True, "path", 1.0, "units", "here", nothing, add),
        "double": Transform("double", False, "relaxed", 1.0, "", "here", nothing, double),
    }


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def applied(policy: Policy, x: Tensor, marks: dict[str, Transform], **given: Any) -> Tensor:
    y = given.get("y", torch.zeros(len(x), dtype=torch.long))
    generator = stream(given.get("seed", 0))
    return PolicyTable(policy, marks, x.device).apply(x, y, generator)


@pytest.mark.parametrize("policy", [Policy(), MIXED, BY_CLASS, DRAWN, SHARED])
def test_json_gives_the_policy_back(policy: Policy, bank: dict[str, Transform]) -> None:
    text = json.dumps(to_json(policy, bank))
    again = from_json(json.loads(text), bank)
    assert again == policy
    assert again.digest == policy.digest


def test_digests_never_change() -> None:
    """They name evaluations in stores that exist: another digest would run them all again."""
    golden = ["8362feb83478", "e8fb7b60c15b", "fba5ca73b806"]
    assert [policy.digest for policy in (Policy(), MIXED, BY_CLASS)] == golden


@pytest.mark.parametrize(("policy", "schema"), [(MIXED, 1), (DRAWN, 2), (SHARED, 2)])
def test_an_older_version_refuses_only_what_it_does_not_know(
    policy: Policy, schema: int, bank: dict[str, Transform]
) -> None:
    assert to_json(policy, bank)["schema"] == schema


def test_digests_tell_policies_apart() -> None:
    others = [
        Policy((Subpolicy((NEGATE, OFFSET)), Subpolicy((NEGATE,), weight=3.0))),
        Policy((Subpolicy((OFFSET, NEGATE)), Subpolicy((NEGATE,)))),
        Policy((Subpolicy((OFFSET, NEGATE)),)),
        Policy(by_class=((Subpolicy((NEGATE,)),),)),
        DRAWN,
        SHARED,
        Policy((Subpolicy((Operation("offset", 0.25, 0.5), NEGATE)), NOTHING)),
    ]
    assert len({policy.digest for policy in (MIXED, BY_CLASS, *others)}) == 9


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("schema",), 3, "schema 3"),
        (("per",), "window", "per 'window'"),
        (("subpolicies", 0, "operations", 0, 2), {"up_to": 1.5}, "1.5"),
        (("subpolicies", 0, "operations", 0, 2), {"down_to": 0.5}, "form"),
        (("subpolicies", 0, "operations", 0, 2), {"up_to": None}, "form"),
        (("subpolicies", 0, "operations", 1, 2), {"up_to": 0.3}, "takes no magnitude"),
        (("subpolicies", 0, "operations", 0, 0), "ofset", "did you mean 'offset'"),
        (("subpolicies", 0, "operations", 0, 1), 1.5, "1.5"),
        (("subpolicies", 0, "operations", 0, 2), -0.1, "-0.1"),
        (("subpolicies", 0, "operations", 0, 2), None, "needs a magnitude"),
        (("subpolicies", 0, "operations", 1, 2), 0.3, "takes no magnitude"),
        (("transforms", "offset", "strongest"), 9.0, "rescale"),
        (("subpolicies",), None, "form"),
        (("subpolicies", 0, "operations"), 7, "form"),
    ],
)
def test_a_policy_file_that_cannot_be_meant_is_refused(
    path: tuple[Any, ...], value: Any, complaint: str, bank: dict[str, Transform]
) -> None:
    record = to_json(MIXED, bank)
    inner: Any = record
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(UserError, match=complaint):
        from_json(record, bank)


@pytest.mark.parametrize("missing", ["subpolicies", "by_class", "transforms"])
def test_a_policy_file_without_a_part_is_refused(missing: str, bank: dict[str, Transform]) -> None:
    record = to_json(MIXED, bank)
    del record[missing]
    with pytest.raises(UserError, match="form"):
        from_json(record, bank)


def test_the_empty_policy_is_the_identity_and_draws_nothing(marks: dict[str, Transform]) -> None:
    x, generator = torch.randn(4, 2, 3), stream()
    out = PolicyTable(Policy(), marks, x.device).apply(x, torch.zeros(4), generator)
    assert torch.equal(out, x)
    assert torch.equal(generator.get_state(), stream().get_state())


def test_the_callers_batch_is_left_as_it_was(marks: dict[str, Transform]) -> None:
    x = torch.ones(8, 1, 1)
    out = applied(Policy((Subpolicy((Operation("add", 1.0, 0.5),)),)), x, marks)
    assert torch.equal(x, torch.ones(8, 1, 1))
    assert torch.equal(out, torch.full((8, 1, 1), 1.5))


def test_an_operation_fires_as_often_as_its_probability_says(marks: dict[str, Transform]) -> None:
    policy = Policy((Subpolicy((Operation("add", 0.3, 1.0),)),))
    out = applied(policy, torch.zeros(6000, 1, 1), marks)
    assert sorted(out.unique().tolist()) == [0.0, 1.0]
    assert out.mean().item() == pytest.approx(0.3, abs=0.025)


def test_subpolicies_are_drawn_by_their_weights_one_a_sample(marks: dict[str, Transform]) -> None:
    policy = Policy(
        (
            Subpolicy((Operation("add", 1.0, 0.25),), weight=1.0),
            Subpolicy((Operation("add", 1.0, 1.0),), weight=3.0),
        )
    )
    values, counts = applied(policy, torch.zeros(6000, 1, 1), marks).unique(return_counts=True)
    assert values.tolist() == [0.25, 1.0]  # never 1.25, both, nor 0, none
    assert counts[0].item() / 6000 == pytest.approx(0.25, abs=0.025)


def test_operations_fire_independently_and_in_order(marks: dict[str, Transform]) -> None:
    half = (Operation("add", 0.5, 1.0), Operation("double", 0.5, None))
    values, counts = applied(Policy((Subpolicy(half),)), torch.ones(8000, 1, 1), marks).unique(
        return_counts=True
    )
    assert values.tolist() == [1.0, 2.0, 4.0]  # 2 either way; 3 would be the wrong order
    assert (counts / 8000).tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.025)


def test_a_class_has_its_own_subpolicies_and_others_are_left_alone(
    marks: dict[str, Transform],
) -> None:
    always = Subpolicy((Operation("add", 1.0, 1.0),))
    twice = Subpolicy((Operation("double", 1.0, None),))
    policy = Policy(by_class=((always,), (), (twice,)))
    y = torch.tensor([0, 1, 2, 0, 2])
    out = applied(policy, torch.full((5, 1, 1), 3.0), marks, y=y)
    assert out.flatten().tolist() == [4.0, 3.0, 6.0, 4.0, 6.0]


def test_equal_generators_give_equal_batches(bank: dict[str, Transform]) -> None:
    x, y = torch.randn(16, 2, 8), torch.zeros(16)
    outs = [PolicyTable(MIXED, bank, x.device).apply(x, y, stream(seed)) for seed in (1, 1, 2)]
    assert torch.equal(outs[0], outs[1])
    assert not torch.equal(outs[0], outs[2])


def test_a_drawn_magnitude_is_another_one_for_each_sample(marks: dict[str, Transform]) -> None:
    policy = Policy((Subpolicy((Operation("add", 1.0, UpTo(0.5)),)),))
    out = applied(policy, torch.zeros(6000, 1, 1), marks).flatten()
    assert len(out.unique()) > 5900
    assert 0 <= float(out.min()) < 0.001
    assert 0.499 < float(out.max()) < 0.5
    assert float(out.mean()) == pytest.approx(0.25, abs=0.01)


def test_a_transform_that_draws_its_strength_is_given_the_limit(
    marks: dict[str, Transform],
) -> None:
    """Otherwise the strength would be a product of two uniform numbers."""
    draws = {"add": replace(marks["add"], draws_strength=True)}
    policy = Policy((Subpolicy((Operation("add", 1.0, UpTo(0.5)),)),))
    assert applied(policy, torch.zeros(50, 1, 1), draws).unique().tolist() == [0.5]
    shared = applied(replace(policy, per="batch"), torch.zeros(50, 1, 1), draws).unique()
    assert len(shared) == 1  # the batch shares the magnitude itself
    assert shared.item() not in (0.0, 0.5)


def test_a_batch_can_share_the_subpolicy_the_firing_and_the_strength(
    marks: dict[str, Transform],
) -> None:
    half = Subpolicy((Operation("add", 0.5, UpTo(1.0)),))
    policy = Policy((half, Subpolicy((Operation("double", 1.0, None),))), per="batch")
    outs = [applied(policy, torch.ones(40, 1, 1), marks, seed=seed) for seed in range(400)]
    assert all(len(out.unique()) == 1 for out in outs)
    firsts = torch.stack([out[0, 0, 0] for out in outs])
    assert (firsts == 2.0).double().mean().item() == pytest.approx(0.5, abs=0.08)
    assert (firsts == 1.0).double().mean().item() == pytest.approx(0.25, abs=0.07)
    added = firsts[(firsts != 1.0) & (firsts != 2.0)] - 1
    assert len(added.unique()) > 60
    assert added.mean().item() == pytest.approx(0.5, abs=0.1)


def test_classes_share_what_their_part_of_the_batch_draws(marks: dict[str, Transform]) -> None:
    drawn = Subpolicy((Operation("add", 1.0, UpTo(1.0)),))
    policy = Policy(by_class=((drawn,), (drawn,)), per="batch")
    y = torch.arange(40) % 2
    out = applied(policy, torch.zeros(40, 1, 1), marks, y=y).flatten()
    first, second = out[y == 0].unique(), out[y == 1].unique()
    assert len(first) == len(second) == 1
    assert first != second


def test_lists_become_tuples() -> None:
    operations: Any = [OFFSET, NEGATE]
    subpolicies: Any = [Subpolicy(operations)]
    by_class: Any = [subpolicies, []]
    policy = Policy(subpolicies)
    assert policy == Policy((Subpolicy((OFFSET, NEGATE)),))
    assert hash(policy.subpolicies) == hash((Subpolicy((OFFSET, NEGATE)),))
    assert Policy(by_class=by_class).by_class == ((Subpolicy((OFFSET, NEGATE)),), ())


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Policy(Subpolicy((NEGATE,))), r"Policy was given a Subpolicy; it takes a tuple"),  # type: ignore[arg-type]
        (lambda: Policy((NEGATE,)), "Policy holds an Operation; it takes a tuple of subpolicies"),  # type: ignore[arg-type]
        (lambda: Policy(by_class=(Subpolicy((NEGATE,)),)), "holds a Subpolicy; .* for each class"),  # type: ignore[arg-type]
        (lambda: Policy(by_class=((NEGATE,),)), "by_class holds an Operation; .* for each class"),  # type: ignore[arg-type]
        (lambda: Subpolicy(NEGATE), r"Subpolicy was given an Operation; .*Subpolicy\(\(Operation"),  # type: ignore[arg-type]
        (lambda: Subpolicy(("negate",)), "Subpolicy holds a str; it takes a tuple of operations"),  # type: ignore[arg-type]
        (
            lambda: Subpolicy((NEGATE,), 0.0),
            "a Subpolicy has a weight of 0.0; .* above 0, and finite",
        ),
        (lambda: Subpolicy((NEGATE,), float("nan")), "has a weight of nan"),
        (lambda: Operation("a", 1.5, None), r"probability of a is 1.5; .* in \[0, 1\]"),
        (lambda: Operation("a", -0.1, None), "the probability of a is -0.1"),
        (lambda: Operation("a", float("nan"), None), "the probability of a is nan"),
        (lambda: Operation("a", "1", None), "the probability of a is '1'"),  # type: ignore[arg-type]
        (lambda: Operation("a", 1.0, 1.01), r"the magnitude of a is 1.01; .* in \[0, 1\]"),
        (lambda: Operation("a", 1.0, float("inf")), "the magnitude of a is inf"),
        (lambda: Operation("a", 1.0, UpTo(2.0)), "the magnitude of UpTo is 2.0"),
        (lambda: Operation(None, 1.0, 0.5), "has the transform None; it has to be a name"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_policy_is_refused_where_it_is_made(
    build: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        build()

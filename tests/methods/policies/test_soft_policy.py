"""Policies as parameters: their draws, their relaxations, what is left when they freeze."""

from collections import Counter
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from augbench.methods.gradients.relax import Draw, relax_bernoulli, relax_categories
from augbench.methods.policies.policy import Policy, operation_shares
from augbench.methods.policies.policy_json import from_json, to_json
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.policies.soft_policy import SoftPolicy, make_pair_policy, make_stage_policy
from augbench.methods.transforms.transform import Transform, per_sample
from augbench.methods.transforms.ungraded import ungraded

N_DRAWS = 60_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bank() -> list[Transform]:
    """Without noise, so that all outcomes can be counted."""

    def no_noise(x: Tensor, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(len(x))

    def shift(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x + per_sample(3 * magnitude, x)

    def stretch(x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        return x * per_sample(1 + magnitude, x)

    return [
        Transform("shift", True, "path", 3.0, "units", "here", no_noise, shift),
        Transform("stretch", True, "path", 2.0, "times", "here", no_noise, stretch),
        ungraded("flip", torch.neg, "here"),
    ]


def scattered(policy: SoftPolicy) -> SoftPolicy:
    """Away from all symmetries."""
    policy.reset_parameters(generator(1))
    with torch.no_grad():
        policy.logits.copy_(torch.randn(policy.logits.shape, generator=generator(2)))
    return policy


@pytest.fixture
def stages() -> SoftPolicy:
    return scattered(make_stage_policy(bank()))


@pytest.fixture
def pairs() -> SoftPolicy:
    return scattered(make_pair_policy(bank()))


@pytest.fixture(params=["stages", "pairs"])
def policy(request: pytest.FixtureRequest) -> SoftPolicy:
    found: SoftPolicy = request.getfixturevalue(request.param)
    return found


def start(n: int = N_DRAWS) -> tuple[Tensor, Tensor]:
    """Equal samples: a batch is then as many draws of what can become of one."""
    return torch.full((n, 1, 2), 0.7), torch.zeros(n, dtype=torch.int64)


def outcomes(x: Tensor) -> Counter[float]:
    return Counter(x[:, 0, 0].mul(1e4).round().div(1e4).tolist())


def test_the_frozen_policy_does_to_samples_what_the_soft_one_did(policy: SoftPolicy) -> None:
    """Freezing changes no frequency; nor does retraining change the order of operations."""
    x, y = start()
    soft = outcomes(policy.augment(x, y, generator(3), "none").x)
    named = {transform.name: transform for transform in bank()}
    frozen = policy.freeze(None if policy.n_rows > 1 else 3)
    hard = outcomes(PolicyTable(frozen, named, x.device).apply(x, y, generator(4)))
    if policy.n_rows == 1:  # DADA draws the best pairs equally often: only what can happen agrees
        assert set(soft) == set(hard)
        return
    assert len(soft) > 30
    for value in soft | hard:
        spread = 5 * (max(soft[value], hard[value]) + 1) ** 0.5
        assert soft[value] == pytest.approx(hard[value], abs=spread)


def test_each_relaxation_draws_alike(policy: SoftPolicy) -> None:
    """Common random numbers: what is judged is what was drawn, in value if not in gradient."""
    x, y = start(500)
    plain, judged = (policy.augment(x, y, generator(5), r) for r in ("none", "relax"))
    assert torch.equal(plain.x, judged.x)
    assert torch.equal(plain.choices.choice, judged.choices.choice)
    straight = policy.augment(x, y, generator(5), "gumbel")
    assert torch.equal(straight.choices.choice, plain.choices.choice)
    # A relaxed draw is only nearly a yes or a no.
    assert ((straight.x - plain.x).abs() < 0.1).double().mean() > 0.8


def test_magnitudes_get_the_derivative_of_the_operations_that_fired(stages: SoftPolicy) -> None:
    x, y = start(1)
    seen = set()
    for seed in range(60):
        stages.zero_grad()
        augmented = stages.augment(x, y, generator(seed), "relax")
        if not augmented.x.requires_grad:
            continue
        augmented.x[0, 0, 0].backward()  # type: ignore[no-untyped-call]
        gradient = stages.magnitudes.grad
        assert gradient is not None
        assert stages.logits.grad is None
        assert stages.probabilities.grad is None
        row, choices, fires = (
            augmented.rows[0],
            augmented.choices.choice[0],
            augmented.fires.choice[0, :, 0],
        )
        names = [("shift", "stretch", "flip")[c] if f else "-" for c, f in zip(choices, fires)]  # noqa: B905
        seen.add(tuple(names))
        mu = stages.magnitudes.detach()[row, torch.arange(2), choices, 0]
        if names == ["shift", "stretch"]:
            assert gradient[row, 0, 0, 0] == pytest.approx(3 * (1 + float(mu[1])))
            assert gradient[row, 1, 1, 0] == pytest.approx(0.7 + 3 * float(mu[0]))
        if names == ["shift", "flip"]:
            assert gradient[row, 0, 0, 0] == pytest.approx(-3.0)
        assert (gradient != 0).sum() == sum(name in ("shift", "stretch") for name in names)
    assert {("shift", "stretch"), ("shift", "flip")} <= seen


def loss(x: Tensor) -> Tensor:
    """Of a sample; curved, so that a mixture is not a mean of its parts."""
    return (x[:, 0, 0] - 1.0).square() + torch.sin(2 * x[:, 0, 0])


def expected_loss(policy: SoftPolicy) -> Tensor:
    """Over all rows, choices and fires of a policy of stages, with gradients to all parameters."""
    shares, fire, mu = policy.shares, policy.probabilities[..., 0], policy.magnitudes[..., 0]
    n_rows, n_stages, n_categories = shares.shape
    total = torch.zeros(())
    for row in range(n_rows):
        for picked in product(range(n_categories), repeat=n_stages):
            for fires in product([False, True], repeat=n_stages):
                weight = torch.ones(()) / n_rows
                value = torch.tensor(0.7)
                for stage, (c, fired) in enumerate(zip(picked, fires, strict=True)):
                    p, m = fire[row, stage, c], mu[row, stage, c]
                    weight = weight * shares[row, stage, c] * (p if fired else 1 - p)
                    moved = (value + 3 * m, value * (1 + m), -value)[c]
                    value = moved if fired else value
                total = total + weight * loss(value.reshape(1, 1, 1)).sum()
    return total


def exact(policy: SoftPolicy) -> dict[str, Tensor]:
    names = ("logits", "probabilities", "magnitudes")
    found = torch.autograd.grad(expected_loss(policy), [getattr(policy, name) for name in names])
    return dict(zip(names, found, strict=True))


def cosine(a: Tensor, b: Tensor) -> float:
    return float(torch.cosine_similarity(a.flatten(), b.flatten(), dim=0))


def test_relax_and_pathwise_gradients_together_are_those_of_the_expectation(
    stages: SoftPolicy,
) -> None:
    """Logits and probabilities by score, magnitudes by derivative: nothing missing, none twice."""
    x, y = start()
    augmented = stages.augment(x, y, generator(6), "relax")
    worth = loss(augmented.x)
    (worth.sum() / N_DRAWS).backward(retain_graph=True)  # type: ignore[no-untyped-call]
    reward = worth.detach()

    def control(soft: Tensor) -> Tensor:
        return 2.0 + soft.flatten(1).square().sum(1)

    logits = stages.choice_logits(augmented.rows)
    chances = stages.fire_probabilities(augmented.rows, augmented.choices.choice)
    for parameter, estimate in (
        (logits, relax_categories(logits, augmented.choices, reward, control)),
        (chances, relax_bernoulli(chances, augmented.fires, reward, control)),
    ):
        parameter.backward(estimate.gradient / N_DRAWS, retain_graph=True)  # type: ignore[no-untyped-call]
    for name, truth in exact(stages).items():
        gradient = getattr(stages, name).grad
        assert cosine(gradient, truth) > 0.98, name
        assert float(gradient.norm() / truth.norm()) == pytest.approx(1.0, abs=0.1), name


def test_straight_through_gradients_are_biased_this_much(stages: SoftPolicy) -> None:
    """Biased by nature; measured here, so that nobody has to wonder how far.

    Cosine with the exact gradient and size beside it, over 60,000 draws: logits 0.84 and 1.16,
    probabilities (relaxed Bernoulli at 0.05) 0.996 and 0.97, magnitudes 1.000 and 0.94.
    """
    x, y = start()
    augmented = stages.augment(x, y, generator(7), "gumbel")
    (loss(augmented.x).sum() / N_DRAWS).backward()  # type: ignore[no-untyped-call]
    truth = exact(stages)
    found = {name: getattr(stages, name).grad for name in truth}
    close = {name: cosine(found[name], truth[name]) for name in truth}
    assert close["magnitudes"] > 0.99
    assert close["probabilities"] > 0.98
    assert 0.7 < close["logits"] < 0.95  # else it would not be biased, and this text wrong


def test_a_mixture_is_the_average_of_all_operations_one_stage_after_the_other() -> None:
    policy = make_stage_policy(bank(), temperature=0.05)
    with torch.no_grad():
        policy.probabilities.fill_(1.0)  # beyond what `project` allows: each relaxed draw is a yes
        policy.logits.copy_(0.05 * torch.randn(policy.logits.shape, generator=generator(8)))
        policy.magnitudes.copy_(torch.rand(policy.magnitudes.shape, generator=generator(9)))
    x, y = start(5)
    mixed = policy.mix(x, y, generator(10))
    expected = []
    for row in range(5):
        value = 0.7
        for stage in range(2):
            w, m = policy.shares[row, stage].tolist(), policy.magnitudes[row, stage, :, 0].tolist()
            value = w[0] * (value + 3 * m[0]) + w[1] * value * (1 + m[1]) - w[2] * value
        expected.append(value)
    assert len({round(value, 3) for value in expected}) == 5
    for found in mixed[:, 0, 0].tolist():  # each sample went through one of the rows
        assert min(abs(found - value) for value in expected) < 1e-5
    mixed.sum().backward()  # type: ignore[no-untyped-call]
    for name in ("logits", "magnitudes"):
        assert getattr(policy, name).grad.abs().sum() > 0


def test_a_class_wise_policy_sends_each_class_through_its_own() -> None:
    policy = make_stage_policy(bank(), n_groups=2)
    with torch.no_grad():
        policy.probabilities.fill_(1.0)
        policy.logits[:5, :, 0] = 50.0  # class 0 shifts twice
        policy.logits[5:, :, 2] = 50.0  # class 1 flips twice
    x, _ = start(40)
    y = torch.arange(40) % 2
    moved = policy.augment(x, y, generator(11), "none").x[:, 0, 0]
    assert torch.allclose(moved[y == 0], torch.tensor(0.7 + 3.0))
    assert torch.allclose(moved[y == 1], torch.tensor(0.7))
    frozen = policy.freeze()
    assert len(frozen.by_class) == 2
    assert not frozen.subpolicies
    assert {o.transform for s in frozen.by_class[0] for o in s.operations} == {"shift"}
    assert operation_shares(frozen) == pytest.approx({"shift": 0.5, "flip": 0.5})


def test_the_best_pairs_are_kept_and_weigh_the_same(pairs: SoftPolicy) -> None:
    order = pairs.logits[0, 0].argsort(descending=True).tolist()
    names = [("shift", "stretch"), ("shift", "flip"), ("stretch", "flip")]
    frozen = pairs.freeze(2)
    kept = [tuple(o.transform for o in s.operations) for s in frozen.subpolicies]
    assert kept == [names[c] for c in order[:2]]
    assert {s.weight for s in frozen.subpolicies} == {1.0}


def test_a_frozen_policy_of_stages_weighs_by_its_shares(stages: SoftPolicy) -> None:
    frozen = stages.freeze()
    assert len(frozen.subpolicies) == 5 * 3 * 3
    assert sum(s.weight for s in frozen.subpolicies) == pytest.approx(5.0)
    named = {transform.name: transform for transform in bank()}
    assert from_json(to_json(frozen, named), named) == frozen


def test_an_ungraded_transform_learns_no_magnitude(stages: SoftPolicy) -> None:
    x, y = start(2000)
    stages.augment(x, y, generator(12), "gumbel").x.sum().backward()  # type: ignore[no-untyped-call]
    gradient = stages.magnitudes.grad
    assert gradient is not None
    assert gradient[:, :, 2].abs().max() == 0
    assert gradient[:, :, 0].abs().max() > 0
    flips = {
        o.magnitude
        for s in stages.freeze().subpolicies
        for o in s.operations
        if o.transform == "flip"
    }
    assert flips == {None}


def test_projection_keeps_a_gradient_where_a_clamp_would_have_none(stages: SoftPolicy) -> None:
    with torch.no_grad():
        stages.probabilities.fill_(7.0)
        stages.magnitudes.fill_(-3.0)
    stages.project()
    assert stages.probabilities.unique().tolist() == pytest.approx([0.99])
    assert stages.magnitudes.unique().tolist() == [0.0]
    x, y = start(2000)
    stages.augment(x, y, generator(13), "gumbel").x.sum().backward()  # type: ignore[no-untyped-call]
    assert stages.magnitudes.grad is not None
    assert stages.magnitudes.grad[:, :, 0].abs().min() > 0


def test_entropy_tells_what_is_undecided() -> None:
    policy = make_stage_policy(bank())
    assert policy.entropy == pytest.approx(torch.tensor(3.0).log().item())
    with torch.no_grad():
        policy.logits[..., 0] = 100.0
    assert policy.entropy == pytest.approx(0.0, abs=1e-6)


def test_nothing_of_a_draw_has_a_gradient_but_what_was_asked_for(stages: SoftPolicy) -> None:
    x, y = start(10)
    with torch.no_grad():
        assert not stages.augment(x, y, generator(14), "none").x.requires_grad
    draws: tuple[Any, ...] = stages.augment(x, y, generator(14), "gumbel")[1:]
    for draw in draws:
        for tensor in draw if isinstance(draw, Draw) else [draw]:
            assert not tensor.requires_grad


def test_masses_are_shares_of_what_fires(pairs: SoftPolicy) -> None:
    assert operation_shares(Policy()) == {}
    with torch.no_grad():
        pairs.logits[0, 0, 1] = 50.0  # shift and flip
        pairs.probabilities[0, 0, 1] = torch.tensor([0.2, 0.6])
    assert operation_shares(pairs.freeze(1)) == pytest.approx({"shift": 0.25, "flip": 0.75})

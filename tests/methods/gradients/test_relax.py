"""RELAX and its kin against exact gradients, by enumeration of all that can be drawn."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor

from augbench.methods.gradients.relax import (
    ControlVariate,
    Draw,
    draw_bernoulli,
    draw_categories,
    relax_bernoulli,
    relax_categories,
)

N_DRAWS = 40_000
F64 = torch.float64

Reward = Callable[[Tensor], Tensor]  # choices (B, V) -> (B,)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def logits() -> Tensor:  # (V, C)
    return torch.tensor([[0.3, -0.8, 1.1, 0.0], [-0.2, 0.9, 0.4, -1.0]], dtype=F64)


@pytest.fixture
def probabilities() -> Tensor:  # (3,)
    return torch.tensor([0.15, 0.5, 0.9], dtype=F64)


def worth(choices: Tensor) -> Tensor:
    """Far from 0 on average, and more than a sum over the choices."""
    table = torch.tensor([[1.0, 2.0, 0.5, 3.0], [0.2, 0.1, 1.5, 0.7]], dtype=F64)
    first, second = (table[v][choices[:, v]] for v in range(2))
    return 5.0 + first * second - first


def worth_of_yes(fires: Tensor) -> Tensor:
    a, b, c = fires.to(F64).unbind(1)
    return 2.0 + a - 3.0 * b * c + 0.5 * b


def exact_of_categories(logits: Tensor, reward: Reward) -> Tensor:
    logits = logits.clone().requires_grad_()
    shares = torch.softmax(logits, -1)
    every = torch.tensor(list(product(range(logits.shape[1]), repeat=logits.shape[0])))
    weight = torch.stack([shares[v][every[:, v]] for v in range(len(logits))]).prod(0)
    (gradient,) = torch.autograd.grad((weight * reward(every)).sum(), logits)
    return gradient


def exact_of_yes(probabilities: Tensor, reward: Reward) -> Tensor:
    p = probabilities.clone().requires_grad_()
    every = torch.tensor(list(product([False, True], repeat=len(p))))
    weight = torch.where(every, p, 1 - p).prod(1)
    (gradient,) = torch.autograd.grad((weight * reward(every)).sum(), p)
    return gradient


def a_control(n_inputs: int) -> Callable[[Tensor], Tensor]:
    """Some smooth function of what it is shown, no good one: whatever it is, it must not bias."""
    weight = torch.randn(n_inputs, generator=generator(5), dtype=F64)
    return lambda soft: 4.0 + torch.tanh(soft.flatten(1) @ weight) * soft.flatten(1)[:, 0]


def nothing(soft: Tensor) -> Tensor:
    """The control variate of REINFORCE."""
    return 0.0 * soft.flatten(1).sum(1)


def assert_unbiased(samples: Tensor, exact: Tensor) -> None:
    """Within 3 standard errors, jointly: each number, with the usual one in 370 beyond allowed."""
    error = samples.std(0) / len(samples) ** 0.5
    z = (samples.mean(0) - exact) / error
    assert z.abs().max() < 3.0, z


def test_relax_of_categories_is_unbiased(logits: Tensor) -> None:
    many = logits.expand(N_DRAWS, -1, -1)
    draw = draw_categories(many, generator(1))
    control = a_control(8)
    estimate = relax_categories(many, draw, worth(draw.choice), control)
    assert_unbiased(estimate.gradient, exact_of_categories(logits, worth))


def test_relax_of_yes_and_no_is_unbiased(probabilities: Tensor) -> None:
    many = probabilities.expand(N_DRAWS, -1)
    draw = draw_bernoulli(many, generator(2))
    estimate = relax_bernoulli(many, draw, worth_of_yes(draw.choice), a_control(3))
    assert_unbiased(estimate.gradient, exact_of_yes(probabilities, worth_of_yes))


def test_draws_follow_their_probabilities(logits: Tensor, probabilities: Tensor) -> None:
    choice = draw_categories(logits.expand(N_DRAWS, -1, -1), generator(3)).choice
    for v, shares in enumerate(torch.softmax(logits, -1)):
        found = torch.bincount(choice[:, v], minlength=4) / N_DRAWS
        assert torch.allclose(found.double(), shares, atol=0.01)
    fires = draw_bernoulli(probabilities.expand(N_DRAWS, -1), generator(4)).choice
    assert torch.allclose(fires.double().mean(0), probabilities, atol=0.01)


def learn(
    control: ControlVariate, estimate: Callable[[int], tuple[Tensor, Tensor]], n_updates: int
) -> None:
    optimizer = torch.optim.Adam(control.parameters(), 1e-2)
    for update in range(n_updates):
        _, square = estimate(update)
        optimizer.zero_grad()
        square.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def a_control_variate(n_relaxed: int) -> ControlVariate:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ControlVariate(n_relaxed, 1).double()


def test_its_variance_falls_below_that_of_reinforce_on_the_same_draws(logits: Tensor) -> None:
    control = a_control_variate(8)
    many = logits.expand(500, -1, -1)

    def estimate(seed: int) -> tuple[Tensor, Tensor]:
        draw = draw_categories(many, generator(100 + seed))

        def foretold(soft: Tensor) -> Tensor:
            return control(soft.flatten(1), soft.new_zeros(len(soft), 1))  # type: ignore[no-any-return]

        found = relax_categories(many, draw, worth(draw.choice), foretold)
        return found.gradient, found.square

    # A control variate that has learned nothing is 0: then it is REINFORCE.
    reinforce, _ = estimate(0)
    draw = draw_categories(many, generator(100))
    plain = relax_categories(many, draw, worth(draw.choice), nothing)
    assert torch.equal(reinforce, plain.gradient)
    learn(control, estimate, 300)
    relaxed, _ = estimate(0)
    ratio = relaxed.var(0).sum() / reinforce.var(0).sum()
    assert ratio < 0.2  # measured: 0.02; the mean reward alone explains most of it


def test_the_variance_of_yes_and_no_falls_too(probabilities: Tensor) -> None:
    control = a_control_variate(3)
    many = probabilities.expand(500, -1)

    def estimate(seed: int) -> tuple[Tensor, Tensor]:
        draw = draw_bernoulli(many, generator(100 + seed))

        def foretold(soft: Tensor) -> Tensor:
            return control(soft, soft.new_zeros(len(soft), 1))  # type: ignore[no-any-return]

        found = relax_bernoulli(many, draw, worth_of_yes(draw.choice), foretold)
        return found.gradient, found.square

    reinforce, _ = estimate(0)
    learn(control, estimate, 300)
    relaxed, _ = estimate(0)
    assert relaxed.var(0).sum() / reinforce.var(0).sum() < 0.2


def test_what_a_sample_earns_moves_no_other_sample(logits: Tensor) -> None:
    """Credit is per sample: a batch that shares one reward would need far more of them."""
    many = logits.expand(6, -1, -1)
    draw = draw_categories(many, generator(7))
    reward = worth(draw.choice)
    other = reward.clone()
    other[2] += 10.0
    first, second = (
        relax_categories(many, draw, r, a_control(8)).gradient for r in (reward, other)
    )
    changed = (first != second).flatten(1).any(1)
    assert changed.tolist() == [False, False, True, False, False, False]


def test_the_difference_of_two_estimates_on_equal_noise_loses_the_control_variate(
    logits: Tensor,
) -> None:
    """What VDIGPKU/DADA releases: not a bias, but no control variate either."""
    many = logits.expand(200, -1, -1)
    draw = draw_categories(many, generator(8))
    above, below = worth(draw.choice), 0.9 * worth(draw.choice)

    def estimate(reward: Tensor, control: Callable[[Tensor], Tensor]) -> Tensor:
        return relax_categories(many, draw, reward, control).gradient

    difference = estimate(above, a_control(8)) - estimate(below, a_control(8))
    reinforce = estimate(above - below, nothing)
    assert torch.allclose(difference, reinforce, atol=1e-9)


def test_extreme_logits_give_finite_gradients() -> None:
    """In float32 and far out, where exponentials overflow."""
    logits = torch.tensor([[[80.0, -80.0, 0.0]], [[0.0, 120.0, -120.0]]])
    draw = draw_categories(logits, generator(9))
    control = a_control(3)
    estimate = relax_categories(
        logits, draw, torch.ones(2), lambda soft: control(soft.double()).float()
    )
    assert torch.isfinite(estimate.gradient).all()
    assert torch.isfinite(estimate.square)


def test_noise_at_its_ends_gives_finite_gradients() -> None:
    """float32 rounds 0.99 + 0.01 (1 - eps) to 1, whose logit is infinite: 1 draw of 10**8."""
    margin = torch.finfo(torch.float32).eps
    ends = torch.tensor([margin, 1 - margin])
    for p in torch.linspace(0.01, 0.99, 99):
        noise, fresh = (each.reshape(-1, 1) for each in torch.meshgrid(ends, ends, indexing="ij"))
        probability = p.expand_as(noise)
        draw = Draw(noise > 1 - probability, noise, fresh)
        estimate = relax_bernoulli(
            probability, draw, torch.ones(4), lambda soft: soft.sum(1).square()
        )
        assert torch.isfinite(estimate.gradient).all(), p
        assert torch.isfinite(estimate.square), p

"""RELAX: gradients of a reward that is only known for the choices that were drawn.

Each sample has its own choices and its own reward: a row of an estimate does not depend on the
rewards of others.

Source: Grathwohl et al. 2018 (RELAX), algorithm 1 and appendix B.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

# Of the relaxed choices that the control variate sees. Source: VDIGPKU/DADA.
TEMPERATURE = 0.5

# From relaxed choices (B, ...) in [0, 1] to predicted rewards (B,).
Control = Callable[[Tensor], Tensor]


class Draw(NamedTuple):
    """Choices, the uniform noise that decided them, and the noise that a control variate needs."""

    choice: Tensor  # categories (B, V) int64, or (B, ...) bool of yes and no
    noise: Tensor  # (B, V, C) or (B, ...): decided the choice
    fresh: Tensor  # of the same shape: for a second draw that gives the same choice


class Estimate(NamedTuple):
    """A gradient for each sample, and the loss of the control variate."""

    gradient: Tensor  # the shape of the parameters, (B, ...)
    square: Tensor  # (): the mean over samples of its squared norm, with a graph to the control


def draw_categories(logits: Tensor, generator: Generator | None) -> Draw:  # (B, V, C)
    """Draw one category of C for each of V choices, in proportion to the exponential of logits."""
    noise, fresh = _uniform(logits, generator), _uniform(logits, generator)
    return Draw(_gumbel(logits, noise).argmax(-1), noise, fresh)


def draw_bernoulli(probability: Tensor, generator: Generator | None) -> Draw:  # (B, ...)
    """Draw yes with a probability, no otherwise."""
    noise, fresh = _uniform(probability, generator), _uniform(probability, generator)
    return Draw(noise > 1 - probability, noise, fresh)


def relax_categories(logits: Tensor, draw: Draw, reward: Tensor, control: Control) -> Estimate:
    """d E[reward] / d logits, from a draw of `draw_categories` and its rewards (B,)."""
    logits = logits.detach().requires_grad_()
    log_share = torch.log_softmax(logits, -1)
    chosen = draw.choice.unsqueeze(-1)
    log_probability = log_share.gather(-1, chosen)
    free = _gumbel(log_share, draw.noise)
    # The largest of all has a standard Gumbel distribution, whichever it is; the others stay below.
    waiting = torch.log(-draw.fresh.log())
    top = waiting.gather(-1, chosen)
    bound = -torch.logaddexp(waiting - log_share, top).scatter(-1, chosen, top)
    return _relax(
        logits,
        log_probability,
        reward,
        control(torch.softmax(free / TEMPERATURE, -1)),
        control(torch.softmax(bound / TEMPERATURE, -1)),
    )


def relax_bernoulli(probability: Tensor, draw: Draw, reward: Tensor, control: Control) -> Estimate:
    """d E[reward] / d probability, from a draw of `draw_bernoulli` and its rewards (B,)."""
    probability = probability.detach().requires_grad_()
    no = 1 - probability
    log_probability = torch.where(draw.choice, probability, no).log()
    # Noise that gives the same choice: above 1 - probability for a yes, below it for a no.
    allowed = torch.where(draw.choice, no + probability * draw.fresh, no * draw.fresh)
    margin = torch.finfo(allowed.dtype).eps  # float32 rounds up to 1 in one of 10**8 draws
    allowed = allowed.clamp(margin, 1 - margin)
    free, bound = (torch.logit(probability) + torch.logit(u) for u in (draw.noise, allowed))
    return _relax(
        probability,
        log_probability,
        reward,
        control(torch.sigmoid(free / TEMPERATURE)),
        control(torch.sigmoid(bound / TEMPERATURE)),
    )


def _relax(
    parameters: Tensor,  # (B, ...)
    log_probability: Tensor,  # (B, ...)
    reward: Tensor,  # (B,)
    free: Tensor,  # (B,) the control variate at the noise that was drawn
    bound: Tensor,  # (B,) the control variate at other noise that gives the same choice
) -> Estimate:
    def gradient_of(values: Tensor) -> Tensor:
        (found,) = torch.autograd.grad(values.sum(), parameters, create_graph=True)
        return found

    score = gradient_of(log_probability).detach()
    surprise = (reward - bound).reshape(-1, *[1] * (parameters.ndim - 1))
    gradient = surprise * score + gradient_of(free) - gradient_of(bound)
    return Estimate(gradient.detach(), gradient.square().flatten(1).sum(1).mean())


class ControlVariate(nn.Module):
    """Predicts a reward from relaxed choices; 0 before it has learned.

    ``control(relaxed, context)``: (B, n_relaxed) in [0, 1], (B, n_context) -> (B,).
    Source: VDIGPKU/DADA, for its shape.
    """

    def __init__(self, n_relaxed: int, n_context: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_relaxed + n_context, 100)
        self.out = nn.Linear(100, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, relaxed: Tensor, context: Tensor) -> Tensor:
        seen = torch.cat([2 * relaxed - 1, context], dim=1)
        predicted: Tensor = self.out(torch.tanh(self.hidden(seen))).squeeze(1)
        return predicted


def _gumbel(logits: Tensor, uniform: Tensor) -> Tensor:
    return logits - torch.log(-torch.log(uniform))


def _uniform(like: Tensor, generator: Generator | None) -> Tensor:
    """Uniform in (0, 1), away from both ends so that all logarithms are finite."""
    uniform = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
    margin = torch.finfo(like.dtype).eps
    return uniform.clamp(margin, 1 - margin)

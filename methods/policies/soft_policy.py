"""A policy whose choices, probabilities and magnitudes are parameters with gradients."""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor, nn

from augbench.methods.gradients.relax import Draw, draw_bernoulli, draw_categories
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.policies.policy_table import UNTOUCHED, apply_each
from augbench.methods.policies.search_space import N_OPERATIONS, N_SUBPOLICIES
from augbench.methods.transforms.transform import Transform, per_sample, relaxed_bernoulli

# How a batch is augmented: by hard draws without gradients to the choices ("none"); the same, for
# a score function (methods/gradients/relax.py); by hard choices with straight-through gradients.
Relaxation = Literal["none", "relax", "gumbel"]

# Bounds of probabilities. At 0 and 1 all draws are equal, and nothing can be learned from them.
PROBABILITIES = (0.01, 0.99)
GUMBEL_TEMPERATURE = 0.5  # Source: VDIGPKU/DADA
NEGLIGIBLE = 1e-6  # the frozen policy leaves out a sequence that is drawn less often


class Augmented(NamedTuple):
    """A batch that a soft policy augmented, and what the policy drew for it."""

    x: Tensor  # (B, ...)
    rows: Tensor  # (B,) the row of the policy that each sample went through
    choices: Draw  # (B, V)
    fires: Draw  # (B, V, M): whether the operations of the chosen sequences fire


class SoftPolicy(nn.Module):
    """Choices among operations, each with a probability and a magnitude of its own.

    A sample goes through the V choices of one of the R rows; each choice is one of C sequences of M
    operations. `make_stage_policy` (Faster AutoAugment, ADDA) has a row for each subpolicy, V
    stages, and chooses one transform at each; `make_pair_policy` (DADA) has one row and one choice,
    among pairs. Rows form groups, one for each class in class-wise policies; a sample draws a row
    of its group.

    The magnitude of an ungraded transform is 1 and not learned, only its probability. Call
    `project` after each change of the parameters.
    """

    operations: Tensor  # (C, M) int64: indices of transforms
    graded: Tensor  # (C, M) bool

    def __init__(
        self,
        transforms: Sequence[Transform],
        operations: Sequence[tuple[int, ...]],  # C of M
        *,
        n_groups: int,
        n_rows: int,  # of each group
        n_choices: int,
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        self.transforms = tuple(transforms)
        self.n_groups, self.n_rows, self.temperature = n_groups, n_rows, temperature
        self.register_buffer("operations", torch.tensor(operations), persistent=False)
        graded = torch.tensor([transform.graded for transform in transforms])
        self.register_buffer("graded", graded[self.operations], persistent=False)
        shape = (n_groups * n_rows, n_choices, len(operations))
        self.logits = nn.Parameter(torch.zeros(shape))
        self.probabilities = nn.Parameter(torch.full((*shape, len(operations[0])), 0.5))
        self.magnitudes = nn.Parameter(torch.full((*shape, len(operations[0])), 0.5))

    @torch.no_grad()
    def reset_parameters(self, generator: Generator) -> None:
        """Draw all probabilities and magnitudes uniformly."""
        for parameter in (self.probabilities, self.magnitudes):
            uniform = torch.rand(parameter.shape, generator=generator)  # equal on all devices
            parameter.copy_(uniform)
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Bring probabilities and magnitudes back within their bounds."""
        # A clamp in forward, as in moskomule/dda, stops the gradients of what has left the bounds.
        self.probabilities.clamp_(*PROBABILITIES)
        self.magnitudes.clamp_(0, 1)

    @property
    def shares(self) -> Tensor:
        """(R, V, C): the probability of each sequence in each choice."""
        return torch.softmax(self.logits / self.temperature, -1)

    @property
    def entropy(self) -> float:
        """The mean entropy of the choices, in nats; log C where nothing is decided."""
        return float(torch.special.entr(self.shares.detach()).sum(-1).mean())

    def augment(
        self, x: Tensor, y: Tensor, generator: Generator | None, relaxation: Relaxation
    ) -> Augmented:
        """(B, ...), (B,) -> a batch of the same shape, with the gradients of the relaxation.

        Under "relax" x has gradients to the magnitudes alone. Under "gumbel" it also has gradients
        to the choice that was drawn and, by the relaxed Bernoulli, to its probabilities. Operations
        that were not drawn are not evaluated.
        """
        rows = self._draw_rows(y, generator)
        with torch.no_grad():
            choices = draw_categories(self.choice_logits(rows), generator)
            fires = draw_bernoulli(self.fire_probabilities(rows, choices.choice), generator)
        x = self._choose(x, rows, choices, fires, generator, relaxation)
        return Augmented(x, rows, choices, fires)

    def _draw_rows(self, y: Tensor, generator: Generator | None) -> Tensor:
        """(B,) -> (B,): for each sample a row of its group, all equally likely."""
        rows = torch.randint(self.n_rows, y.shape, generator=generator, device=y.device)
        return self.n_rows * y + rows if self.n_groups > 1 else rows

    def choice_logits(self, rows: Tensor) -> Tensor:
        """(B,) -> (B, V, C)."""
        return self.logits[rows] / self.temperature

    def fire_probabilities(self, rows: Tensor, choices: Tensor) -> Tensor:
        """(B,), (B, V) -> (B, V, M): the probabilities of the operations that were chosen."""
        return self.probabilities[self._at(rows, choices)]

    def _at(self, rows: Tensor, choices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        stages = torch.arange(choices.shape[1], device=rows.device)
        return rows.unsqueeze(1), stages, choices

    def _choose(
        self,
        x: Tensor,
        rows: Tensor,
        choices: Draw,
        fires: Draw,
        generator: Generator | None,
        relaxation: Relaxation,
    ) -> Tensor:
        at = self._at(rows, choices.choice)
        operations = self.operations[choices.choice]  # (B, V, M)
        magnitudes = torch.where(self.graded[choices.choice], self.magnitudes[at], 1.0)
        if relaxation != "gumbel":
            operations = operations.masked_fill(~fires.choice, UNTOUCHED)
        for stage in range(operations.shape[1]):
            before = x
            for m in range(operations.shape[2]):
                which, magnitude = operations[:, stage, m], magnitudes[:, stage, m]
                moved = apply_each(which, magnitude, x, self.transforms, generator)
                if relaxation == "gumbel":
                    probability = self.probabilities[at][:, stage, m]
                    share = per_sample(relaxed_bernoulli(probability, fires.noise[:, stage, m]), x)
                    moved = x + share * (moved - x)
                x = moved
            if relaxation == "gumbel":
                # DADA also adds the soft share of each sequence that was not drawn, as a number, to
                # all pixels. The gradient of that does not depend on the sequence's operations, so
                # it is left out here.
                x = before + per_sample(self._straight_through(rows, choices, stage), x) * (
                    x - before
                )
        return x

    def _straight_through(self, rows: Tensor, choices: Draw, stage: int) -> Tensor:
        """(B,): ones, with the gradient of the soft share of the chosen sequence."""
        logits = self.choice_logits(rows)[:, stage]
        noisy = torch.log_softmax(logits, -1) - torch.log(-torch.log(choices.noise[:, stage]))
        soft = torch.softmax(noisy / GUMBEL_TEMPERATURE, -1)
        share = soft.gather(-1, choices.choice[:, stage].unsqueeze(-1)).squeeze(-1)
        return 1 + share - share.detach()

    def mix(self, x: Tensor, y: Tensor, generator: Generator | None) -> Tensor:
        """(B, ...), (B,) -> the same shape: each choice is the weighted mean of all its operations.

        All operations are evaluated on all samples, and each fires by a relaxed draw. Only for
        choices of single operations.
        Source: Hataya et al. 2020 (Faster AutoAugment), section 3.2.
        """
        assert self.operations.shape[1] == 1
        rows = self._draw_rows(y, generator)
        shares = self.shares[rows]  # (B, V, C)
        magnitudes = torch.where(self.graded, self.magnitudes, 1.0)[rows].squeeze(-1)
        probabilities = self.probabilities[rows].squeeze(-1)
        uniform = torch.rand(probabilities.shape, generator=generator, device=x.device)
        fires = relaxed_bernoulli(probabilities, uniform)
        for stage in range(shares.shape[1]):
            change = torch.zeros_like(x)
            for index, transform in enumerate(self.transforms):
                moved = transform.apply(
                    x, magnitudes[:, stage, index], transform.draw(x, generator)
                )
                weight = shares[:, stage, index] * fires[:, stage, index]
                change = change + per_sample(weight, x) * (moved - x)
            x = x + change
        return x

    def freeze(self, n_best: int | None = None) -> Policy:
        """The policy of these parameters; with several groups, one group of subpolicies a class.

        A policy of stages gives every sequence of operations, weighted by the probability that the
        choices draw it. With ``n_best``, for policies of one choice, it is the sequences of largest
        logits with equal weights.
        """
        groups = tuple(self._freeze_group(group, n_best) for group in range(self.n_groups))
        return Policy(by_class=groups) if self.n_groups > 1 else Policy(groups[0])

    def _freeze_group(self, group: int, n_best: int | None) -> tuple[Subpolicy, ...]:
        first = group * self.n_rows
        rows = range(first, first + self.n_rows)
        if n_best is not None:
            order = self.logits[first, 0].argsort(descending=True, stable=True).tolist()
            return tuple(Subpolicy(self._sequence(first, 0, c)) for c in order[:n_best])
        shares = self.shares.tolist()
        subpolicies = []
        for row in rows:
            options = [
                [(share, self._sequence(row, stage, c)) for c, share in enumerate(of_stage)]
                for stage, of_stage in enumerate(shares[row])
            ]
            for picked in product(*options):
                weight = 1.0
                for share, _ in picked:
                    weight *= share
                if weight >= NEGLIGIBLE:
                    operations = tuple(each for _, sequence in picked for each in sequence)
                    subpolicies.append(Subpolicy(operations, weight))
        return tuple(subpolicies)

    def _sequence(self, row: int, stage: int, c: int) -> tuple[Operation, ...]:
        at = (row, stage, c)
        return tuple(
            Operation(
                self.transforms[index].name,
                probability,
                magnitude if self.transforms[index].graded else None,
            )
            for index, probability, magnitude in zip(
                self.operations[c].tolist(),
                self.probabilities[at].tolist(),
                self.magnitudes[at].tolist(),
                strict=True,
            )
        )


def make_stage_policy(
    transforms: Sequence[Transform], *, n_groups: int = 1, temperature: float = 1.0
) -> SoftPolicy:
    """Subpolicies of stages that each choose one transform.

    Source: Hataya et al. 2020 (Faster AutoAugment), section 3.1.
    """
    return SoftPolicy(
        transforms,
        [(index,) for index in range(len(transforms))],
        n_groups=n_groups,
        n_rows=N_SUBPOLICIES,
        n_choices=N_OPERATIONS,
        temperature=temperature,
    )


def make_pair_policy(transforms: Sequence[Transform]) -> SoftPolicy:
    """One choice among all pairs of different transforms, in the order of the bank.

    Source: Li et al. 2020 (DADA), section 3.1.
    """
    pairs = list(combinations(range(len(transforms)), N_OPERATIONS))
    return SoftPolicy(transforms, pairs, n_groups=1, n_rows=1, n_choices=1)

"""Faster AutoAugment: a policy whose output a critic cannot tell from the data themselves."""

from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from augbench.datasets.errors import UserError, require
from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Split
from augbench.methods.gradients.critic import (
    PENALTY_WEIGHT,
    Critic,
    CriticOutput,
    gradient_penalty,
)
from augbench.methods.options.gradients import FasterAutoAugmentOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.search_space import learnable_transforms
from augbench.methods.policies.soft_policy import make_stage_policy
from augbench.methods.training.adam import Adam
from augbench.methods.training.method import Setup
from augbench.methods.training.training import DivergedError, trunk_samples

BETAS = (0.0, 0.999)  # of both optimizers. Source: moskomule/dda
LEAST_BATCH = 32  # see `FasterAutoAugmentOptions.batch_size`
SPREAD = 1e-3  # of the first logits; moskomule/dda draws them so far apart that most is decided


class FasterAutoAugment:
    """One step is one epoch of the critic and the policy, by turns, on the training view alone.

    Each batch is split into two halves: one is augmented, the other is what the critic compares it
    with. On the same images the policy would learn the identity. The policy's step augments its
    half anew, as in the official code.

    The critic sees both halves in one pass. In a pass of each half alone, as in the official code,
    batch norm would centre and scale each by itself and hide what tells them apart, and in
    evaluation mode the critic's sign turns. On windows of ssvep against windows with noise of 0.2
    the critic's AUC in evaluation mode after 50, 100 and 150 steps is .66, .96 and 1.00 in batches
    of 32, and .55, .81 and 1.00 in batches of 8; with separate passes .000 and .50.

    Each sample draws a subpolicy of its own; the official code draws one for 8 images. Operations
    fire by a relaxed Bernoulli at a temperature of 0.05 (the paper's; the official code has 0.1).
    The cross-entropies give all classes the same weight, as in the official code.

    It minimises the distance between augmented data and data. An operation that does nothing is
    then as good as one that moves data to where other data are.

    Source: Hataya et al. 2020, section 3; moskomule/dda, for the numbers.
    """

    def __init__(self, setup: Setup, options: FasterAutoAugmentOptions) -> None:
        self.setup, self.options = setup, options
        policy = make_stage_policy(
            learnable_transforms(setup.bank), temperature=options.temperature
        )
        generator = setup.seeds.generator("policy")
        policy.reset_parameters(generator)
        with torch.no_grad():
            policy.logits.copy_(SPREAD * torch.rand(policy.logits.shape, generator=generator))
        self.policy = policy.to(setup.device)
        with global_seed(setup.seeds.integer("critic")):
            self.critic = Critic(setup.trunk(), setup.n_classes).to(setup.device)
        self.policy_optimizer = Adam(self.policy.parameters(), options.learning_rate, betas=BETAS)
        self.critic_optimizer = Adam(
            self.critic.parameters(), options.critic_learning_rate, betas=BETAS
        )
        size = options.batch_size
        self._batch_size = max(setup.training.batch_size, LEAST_BATCH) if size is None else size
        self.epoch = 0
        self.distance = 0.0  # between data and augmented data, as the critic sees it
        self.loss = 0.0  # of the policy

    def step(self) -> bool:
        """An epoch; True when it is the last. Raises DivergedError when a loss is not finite."""
        self.epoch += 1
        device = self.setup.device
        seeds = self.setup.seeds.child("search")
        order = torch.randperm(
            len(self.setup.views.train.y), generator=seeds.generator("batches", self.epoch)
        ).to(device)
        noise = seeds.generator("augment", self.epoch, device=device)
        self.critic.train()
        totals = torch.zeros(2, device=device)
        n_batches = 0
        for rows in order.split(self._batch_size):
            half = len(rows) // 2
            if half == 0:
                continue  # a single sample has no other half
            real, other = (
                Split(self.setup.views.train.x[part], self.setup.views.train.y[part])
                for part in (rows[:half], rows[half : 2 * half])
            )
            totals += self._update(real, other, noise)
            n_batches += 1
        self.distance, self.loss = (totals / n_batches).tolist()
        if not torch.isfinite(totals).all():
            raise DivergedError(f"the losses of epoch {self.epoch} are no longer finite")
        return self.epoch >= self.options.epochs

    def _update(self, real: Split, other: Split, noise: torch.Generator) -> Tensor:
        """The critic's step and then the policy's; (2,): the distance and the policy's loss."""
        with torch.no_grad():
            moved = self.policy.mix(other.x, other.y, noise)
        place = torch.rand(len(real.y), generator=noise, device=real.x.device)
        judged, judged_moved = self._judge(real.x, moved)
        distance = judged.realness.mean() - judged_moved.realness.mean()
        critic_loss = (
            -distance
            + PENALTY_WEIGHT * gradient_penalty(self.critic, real.x, moved, place)
            + self.options.class_weight * F.cross_entropy(judged.logits, real.y)
        )
        self.critic_optimizer.zero_grad(set_to_none=True)
        critic_loss.backward()
        self.critic_optimizer.step()

        augmented = self.policy.mix(other.x, other.y, noise)
        _, judged_moved = self._judge(real.x, augmented, learns=False)
        loss = -judged_moved.realness.mean()
        loss = loss + self.options.class_weight * F.cross_entropy(judged_moved.logits, other.y)
        self.policy_optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(self.policy.parameters()))
        self.policy_optimizer.step()
        self.policy.project()
        n = trunk_samples(self.critic.trunk, len(real.y))
        # The critic's step: two halves, and what lies between them, which goes back twice. The
        # policy's step: two halves.
        self.setup.meter.count(forward=5 * n, backward=6 * n, steps=1)
        return torch.stack([distance.detach(), loss.detach()])

    def _judge(
        self, real: Tensor, moved: Tensor, *, learns: bool = True
    ) -> tuple[CriticOutput, CriticOutput]:
        """Both batches (B, ...) in one pass, so that batch norm does the same to both.

        Unless the critic ``learns`` from it, its weights are constants: operations that are written
        in Python compute all slopes that they can, wanted or not.
        """
        weights = {} if learns else {n: each.detach() for n, each in self.critic.named_parameters()}
        both = torch.cat([real, moved])
        realness, logits = functional_call(self.critic, weights, (both,))
        n = len(real)
        return CriticOutput(realness[:n], logits[:n]), CriticOutput(realness[n:], logits[n:])

    def artifact(self, *, last: bool = False) -> Policy | None:
        """The current policy, after every `epochs_per_point` epochs and the last."""
        due = self.epoch % self.options.epochs_per_point == 0 or self.epoch >= self.options.epochs
        return self.policy.freeze() if self.epoch > 0 and (due or last) else None

    def learned(self) -> dict[str, Any]:
        """The entropy of the choices, the distance that the critic sees, and the policy's loss."""
        return {
            "entropy": self.policy.entropy,
            "distance": self.distance,
            "loss": self.loss,
        }

    def state_dict(self) -> dict[str, Any]:
        """The policy, the critic, both optimizers, the epoch, and what `learned` reports."""
        return {
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict(),
            "policy_optimizer": self.policy_optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer.state_dict(),
            "epoch": self.epoch,
            "distance": self.distance,
            "loss": self.loss,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.policy.load_state_dict(state["policy"])
        self.critic.load_state_dict(state["critic"])
        self.policy_optimizer.load_state_dict(state["policy_optimizer"])
        self.critic_optimizer.load_state_dict(state["critic_optimizer"])
        self.epoch, self.distance, self.loss = state["epoch"], state["distance"], state["loss"]


def build(setup: Setup, options: FasterAutoAugmentOptions) -> FasterAutoAugment:
    """Raises a UserError for a bank without gradients, empty halves, and numbers out of range."""
    for name in ("epochs", "epochs_per_point"):
        require(options, name, getattr(options, name) >= 1, "1 or more")
    for name in ("learning_rate", "critic_learning_rate", "temperature"):
        require(options, name, 0 < getattr(options, name) < inf, "more than 0")
    require(options, "class_weight", 0 <= options.class_weight < inf, "0 or more")
    method = FasterAutoAugment(setup, options)
    if min(method._batch_size, len(setup.views.train.y)) < 2:
        raise UserError("Faster AutoAugment halves each batch: batches need at least 2 samples")
    return method

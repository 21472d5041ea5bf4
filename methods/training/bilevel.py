"""What DADA and ADDA share: a policy learns from the validation loss of the trunk it trains."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from augbench.datasets.errors import UserError, require
from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Split
from augbench.methods.gradients.hypergradient import hypergradient
from augbench.methods.gradients.relax import ControlVariate, relax_bernoulli, relax_categories
from augbench.methods.options.gradients import BilevelOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.soft_policy import Augmented, SoftPolicy
from augbench.methods.training.adam import Adam
from augbench.methods.training.method import Setup
from augbench.methods.training.training import DivergedError, Training, trunk_samples

# Of Adam on the policy. Source: VDIGPKU/DADA; what ADDA had is not published.
BETAS = (0.5, 0.999)
# The norm of the step of finite differences. DARTS and DADA take 0.01. On EEGNet the cosine with
# the second backward pass is 0.993 here, 0.998 at 0.01, 0.9998 at 0.001. But where a trunk has
# kinks, a small step divides their jumps by a small number: at 0.001 the slopes of a ResNet-18 in
# magnitudes are 6 times too large (cosines -0.6 to 0.8), at 0.1 1.2 times (0.6 to 1.0).
RADIUS = 0.03
# The default outer batch, in batches of the task. Most noise of the gradient of choices comes from
# the outer batch: on the planted invariance of tests/methods, in batches of 8 at a fixed trunk, the
# squared mean gradient of the logits is .028 of the squared gradient of one update, and .064 with
# an outer batch four times as large. That costs 1.75 to 2 times the samples; twice the updates
# would give .057. Other means at an outer batch of 8: the mean of the batch as a baseline .025, the
# same sample without augmentation .028, two draws of each sample as each other's baselines .020.
# On ssvep none of them shows a signal: at most .001 over 300 updates, with outer batches of 8, 32
# and 96.
OUTER_BATCHES = 4
SCALE_DECAY = 0.99  # of the running scale of rewards, at each update


class Bilevel:
    """One step is one epoch of the trunk, each of whose batches first improves the policy.

    For each batch: augment it by the policy; take a virtual step of plain descent of the trunk on
    it; compute the loss of the moved trunk on a fresh batch of the policy's validation view; move
    the policy against the gradient of that loss; then take the trunk's real step, on the batch
    augmented by the new policy.

    Source: Rommel et al. 2022 (CADDA), algorithm 1; Li et al. 2020 (DADA), algorithm 1.
    """

    def __init__(
        self,
        setup: Setup,
        options: BilevelOptions,
        policy: SoftPolicy,
        freeze: Callable[[], Policy],
    ) -> None:
        self.setup, self.options = setup, options
        self.policy, self.freeze = policy.to(setup.device), freeze
        n_epochs = options.warm_start + options.epochs
        self.training = Training(
            setup.trunk(),
            setup.views.train,
            setup.views.model_valid,
            settings=replace(setup.training, epochs=n_epochs, patience=n_epochs),
            n_classes=setup.n_classes,
            metric=setup.metric,
            seeds=setup.seeds.child("search"),
            meter=setup.meter,
            augment=self._augment,
            validation_steers=False,  # no early stopping, and the policy is that of the last epoch
        )
        self.optimizer = Adam(policy.parameters(), options.learning_rate, betas=BETAS)
        self.n_updates = 0
        self.judge = _Judge(policy, options, setup)

    def step(self) -> bool:
        """Train an epoch; True after the last. Raises DivergedError for a policy not finite."""
        warm = self.training.epoch < self.options.warm_start
        with self.setup.meter.phase("pretrain") if warm else nullcontext():
            self.training.step()
        if not all(torch.isfinite(each).all() for each in self.policy.parameters()):
            raise DivergedError(f"the policy of epoch {self.training.epoch} is not finite")
        return self.training.done

    def _augment(self, x: Tensor, y: Tensor, noise: Generator) -> Tensor:
        if self.training.epoch <= self.options.warm_start:
            return x
        self._improve(Split(x, y))
        with torch.no_grad():
            return self.policy.augment(x, y, noise, "none").x

    def _improve(self, batch: Split) -> None:
        """Move the policy one step down the validation loss."""
        seeds = self.setup.seeds.child("update", self.n_updates)
        self.n_updates += 1
        noise = seeds.generator("policy", device=self.setup.device)
        augmented = self.policy.augment(batch.x, batch.y, noise, self.options.estimator)
        # The official DADA takes the first batch of a loader, which is the same in every update.
        valid = self.setup.views.policy_valid
        n_valid = self.options.outer_batch_size or OUTER_BATCHES * self.setup.training.batch_size
        drawn = torch.randperm(len(valid.y), generator=seeds.generator("valid"))[:n_valid]
        drawn = drawn.to(self.setup.device)
        exact = self.options.hypergradient == "exact"
        slopes = hypergradient(
            self.training.model,
            Split(augmented.x, batch.y),
            Split(valid.x[drawn], valid.y[drawn]),
            rate=self.training.rate(),
            class_weights=self.training.class_weights,
            seeds=seeds,
            radius=None if exact else RADIUS,
        )
        n, n_outer = (trunk_samples(self.training.model, k) for k in (len(batch.y), len(drawn)))
        self.setup.meter.count(
            forward=n_outer + (n if exact else 3 * n),
            backward=n_outer + (2 * n if exact else 3 * n),
        )
        self.optimizer.zero_grad(set_to_none=True)
        if augmented.x.requires_grad:  # if any operation was applied
            augmented.x.backward(slopes.x)
        if self.options.estimator == "relax":
            self.judge.backward(augmented, slopes.samples)
        self.optimizer.step()
        self.policy.project()

    def artifact(self, *, last: bool = False) -> Policy | None:
        """The current policy, after every `epochs_per_point` epochs and the last."""
        searched = self.training.epoch - self.options.warm_start
        due = searched % self.options.epochs_per_point == 0 or self.training.done
        return self.freeze() if searched > 0 and (due or last) else None

    def learned(self) -> dict[str, Any]:
        """The entropy of the choices, and the metric and the loss of the trunk."""
        return {
            "best_valid": self.training.best_valid,
            "loss": self.training.last_loss,
            "entropy": self.policy.entropy,
        }

    def state_dict(self) -> dict[str, Any]:
        """The training, the policy, both optimizers, the control variates."""
        return {
            "training": self.training.state_dict(),
            "policy": self.policy.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "n_updates": self.n_updates,
            "judge": self.judge.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.training.load_state_dict(state["training"])
        self.policy.load_state_dict(state["policy"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.n_updates = state["n_updates"]
        self.judge.load_state_dict(state["judge"])


class _Judge:
    """Turns the effect of each sample on the validation loss into gradients of its choices.

    The released DADA takes the difference of two RELAX estimates on equal noise: the control
    variate cancels, and REINFORCE remains. Here the difference is the reward, and RELAX is applied
    to it once.
    """

    def __init__(self, policy: SoftPolicy, options: BilevelOptions, setup: Setup) -> None:
        self.policy = policy
        n_rows, n_choices, n_categories, n_operations = policy.probabilities.shape
        with global_seed(setup.seeds.integer("control")):
            choices = ControlVariate(n_choices * n_categories, n_rows)
            fires = ControlVariate(n_choices * n_operations, n_rows + n_choices * n_categories)
        self.controls = torch.nn.ModuleDict({"choices": choices, "fires": fires}).to(setup.device)
        self.optimizer = Adam(self.controls.parameters(), options.control_learning_rate)
        self.scale = 0.0  # of rewards, which are tiny: a learning rate times products of slopes

    def backward(self, augmented: Augmented, cost: Tensor) -> None:
        """Add to the gradients of the policy, which lowers the mean of ``cost`` (B,)."""
        size = float(cost.square().mean().sqrt())
        # The control variate learns numbers of size 1. The scale is that of earlier batches: a
        # reward must not change its own scale.
        scale = self.scale or size
        self.scale = SCALE_DECAY * scale + (1 - SCALE_DECAY) * size
        if scale == 0.0:
            return
        n_rows, n_categories = len(self.policy.logits), self.policy.logits.shape[-1]
        row = F.one_hot(augmented.rows, n_rows).to(cost.dtype)
        drawn = F.one_hot(augmented.choices.choice, n_categories).to(cost.dtype).flatten(1)
        logits = self.policy.choice_logits(augmented.rows)
        probabilities = self.policy.fire_probabilities(augmented.rows, augmented.choices.choice)
        reward = cost / scale
        choices = relax_categories(
            logits,
            augmented.choices,
            reward,
            lambda soft: self.controls["choices"](soft.flatten(1), row),
        )
        fires = relax_bernoulli(
            probabilities,
            augmented.fires,
            reward,
            lambda soft: self.controls["fires"](soft.flatten(1), torch.cat([row, drawn], dim=1)),
        )
        torch.autograd.backward(
            [logits, probabilities], [scale * choices.gradient, scale * fires.gradient]
        )
        self.optimizer.zero_grad(set_to_none=True)
        (choices.square + fires.square).backward()
        self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        return {
            "controls": self.controls.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scale": self.scale,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.controls.load_state_dict(state["controls"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scale = state["scale"]


def check(setup: Setup, options: BilevelOptions) -> None:
    """Raises a UserError for numbers out of range, and for differences lost to rounding."""
    if options.hypergradient == "differences" and setup.training.precision != "float32":
        raise UserError(  # cosine with the second pass 0.09 on a ResNet-18 in bfloat16
            f'hypergradient is "differences", which {setup.training.precision} rounds away: '
            'choose "exact", or precision = "float32" in the training'
        )
    require(options, "warm_start", options.warm_start >= 0, "0 or more")
    for name in ("epochs", "epochs_per_point"):
        require(options, name, getattr(options, name) >= 1, "1 or more")
    size = options.outer_batch_size
    require(options, "outer_batch_size", size is None or size >= 1, "1 or more")
    for name in ("learning_rate", "control_learning_rate"):
        require(options, name, 0 < getattr(options, name) < inf, "more than 0")

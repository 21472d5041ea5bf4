"""Fast AutoAugment: policies whose output a network, trained without them, classifies best."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserError, require
from augbench.methods.options.proposals import FastAutoAugmentOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.policy_table import PolicyTable
from augbench.methods.policies.search_space import check_bank, policy_at
from augbench.methods.policies.slot import read_slots
from augbench.methods.policies.tpe import Batches, Scored, import_sampler
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.training.sampling import Proposal, Reached
from augbench.methods.training.training import SCORE_BATCH, mean_correct, trunk_samples


class FastAutoAugment:
    """A step is an epoch of pretraining; after the pretraining, one policy on the frozen network.

    By design it prefers operations that the network tolerates, whether they help or not. With the
    reward "mean" no policy beats the empty one. With "any" most random policies do, since five
    chances to be right are more than one, and rewards lie close together: on the planted invariance
    (tests/methods) "any" finds the planted transform in 3 of 5 seeds, "mean" in 5. Issues #21, #36
    and #46 of the official repository report policies no better than random ones.

    Source: Lim et al. 2019; kakaobrain/fast-autoaugment, search.py (reward, copies).
    """

    def __init__(self, setup: Setup, options: FastAutoAugmentOptions) -> None:
        self.setup, self.options = setup, options
        epochs = options.pretrain_epochs or setup.training.epochs
        self.pretraining = retrain(
            setup,
            Policy(),
            seeds=setup.seeds.child("pretraining"),
            settings=replace(setup.training, epochs=epochs),
        )
        self.reward_of_nothing: float | None = None  # of the empty policy, after the pretraining
        self.trials: list[Scored] = []
        self._batches = Batches.of_tpe(
            options.parallel,
            list(setup.bank),
            setup.seeds,
            n_startup=options.n_startup,
            n_candidates=options.n_candidates,
        )

    def step(self) -> bool:
        """Train an epoch or try a policy; True after the last policy."""
        if not self.pretraining.done:
            with self.setup.meter.phase("pretrain"):
                self.pretraining.step()
            if self.pretraining.done:
                self._freeze()
            return False
        number = len(self.trials)
        attempt = self.begin(Proposal(number, self._batches.at(number, self.trials)))
        attempt.step()
        return self.tell(attempt.proposal, attempt.reached())

    def proposals(self) -> list[Proposal]:
        """What is left of the batch; empty during the pretraining."""
        if not self.pretraining.done:
            return []
        slots = self._batches.left(self.trials, self.options.n_samplings)
        return [Proposal(n, each) for n, each in enumerate(slots, len(self.trials))]

    def begin(self, proposal: Proposal) -> "Try":
        """A policy, not yet tried. Raises a UserError before the end of the pretraining."""
        if not self.pretraining.done:
            raise UserError("no policy can be tried before the end of the pretraining")
        policy = policy_at(proposal.slots, self.setup.bank)
        return Try(proposal, partial(self._reward, policy, proposal.number))

    def tell(self, proposal: Proposal, reached: Reached) -> bool:
        """Add what the next policy is worth; True when it was the last."""
        assert proposal.number == len(self.trials)
        self.trials.append(Scored(proposal.slots, reached.value))
        return len(self.trials) >= self.options.n_samplings

    def _freeze(self) -> None:
        with self.setup.meter.phase("evaluate"):
            self.reward_of_nothing = self.pretraining.score_best(self.setup.views.policy_valid)

    @torch.no_grad()
    def _reward(self, policy: Policy, number: int) -> float:
        """The metric of the frozen network on augmented copies of the policy's validation view."""
        model = self.pretraining.model.eval()
        x, y = self.setup.views.policy_valid
        # Each trial draws anew, as in the official code: a search would fit draws that are shared.
        noise = self.setup.seeds.generator("reward", number, device=self.setup.device)
        table = PolicyTable(policy, self.setup.bank, self.setup.device)
        copies = []
        for _ in range(self.options.n_copies):
            parts = [
                self._is_correct(model, table.apply(x_part, y_part, noise), y_part)
                for x_part, y_part in zip(x.split(SCORE_BATCH), y.split(SCORE_BATCH), strict=True)
            ]
            copies.append(torch.cat(parts))
        right = torch.stack(copies).double()
        reward = right.amax(0) if self.options.reward == "any" else right.mean(0)
        return mean_correct(reward, y, metric=self.setup.metric, n_classes=self.setup.n_classes)

    def _is_correct(self, model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        """(B, ...), (B,) -> (B,) bool."""
        self.setup.meter.count(forward=trunk_samples(model, len(x)))
        right: Tensor = model(x).argmax(1) == y
        return right

    def artifact(self, *, last: bool = False) -> Policy | None:
        """The best trials so far, merged, after every `samplings_per_point` trials and the last."""
        n = len(self.trials)
        due = n >= self.options.n_samplings or n % self.options.samplings_per_point == 0
        if n == 0 or not (due or last):
            return None
        best = sorted(self.trials, key=lambda trial: -trial.value)  # of equals the oldest first
        policies = [
            policy_at(trial.slots, self.setup.bank) for trial in best[: self.options.n_best]
        ]
        return Policy(tuple(subpolicy for policy in policies for subpolicy in policy.subpolicies))

    def learned(self) -> dict[str, Any]:
        """The metric of the pretraining, the reward of the empty policy, and all rewards."""
        return {
            "best_valid": self.pretraining.best_valid,
            "epochs": self.pretraining.epoch,
            "reward_of_nothing": self.reward_of_nothing,
            "rewards": [trial.value for trial in self.trials],
        }

    def state_dict(self) -> dict[str, Any]:
        """The pretraining, and the trials, from which the sampler is rebuilt."""
        return {
            "pretraining": self.pretraining.state_dict(),
            "reward_of_nothing": self.reward_of_nothing,
            "trials": [[[list(slot) for slot in t.slots], t.value] for t in self.trials],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.pretraining.load_state_dict(state["pretraining"])
        self.reward_of_nothing = state["reward_of_nothing"]
        self.trials = [Scored(read_slots(slots), value) for slots, value in state["trials"]]
        self._batches.forget()


class Try:
    """One policy on the frozen network: a single step."""

    def __init__(self, proposal: Proposal, reward: Callable[[], float]) -> None:
        self.proposal, self._reward = proposal, reward
        self.value = 0.0

    def step(self) -> bool:
        """Find out what the policy is worth."""
        self.value = self._reward()
        return True

    def reached(self) -> Reached:
        """What it is worth; nothing was trained for it."""
        return Reached(self.value, 0)

    def state_dict(self) -> dict[str, Any]:
        """What it is worth, once that is known."""
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there."""
        self.value = state["value"]


def build(setup: Setup, options: FastAutoAugmentOptions) -> FastAutoAugment:
    """Raises a UserError for an empty bank or a number below 1."""
    check_bank(setup.bank)
    names = (
        "n_samplings",
        "samplings_per_point",
        "n_startup",
        "n_candidates",
        "n_copies",
        "n_best",
        "parallel",
    )
    for name in names:
        require(options, name, getattr(options, name) >= 1, "1 or more")
    epochs = options.pretrain_epochs
    require(options, "pretrain_epochs", epochs is None or epochs >= 1, "1 or more")
    import_sampler()
    return FastAutoAugment(setup, options)

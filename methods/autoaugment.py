"""AutoAugment, searched by TPE: trainings from scratch under policies that a sampler proposes."""

from dataclasses import dataclass, replace
from typing import Any

from augbench.datasets.errors import require
from augbench.methods.options.proposals import AutoAugmentOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.search_space import Slot, check_bank, policy_at, read_slots
from augbench.methods.policies.tpe import Scored, import_sampler, propose
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.training.training import DivergedError, Training, score


@dataclass(frozen=True)
class Sampling:
    """A point of the search space, and what the training of its child reached."""

    slots: tuple[Slot, ...]
    value: float  # metric of the child's best epoch on the policy's validation view; 0: diverged
    n_epochs: int
    diverged: bool


class AutoAugment:
    """One step is one epoch of the current child's training.

    Each child has random streams of its own. If all shared one stream, the search would fit the
    luck of that stream; if they used the setup's own, the final retraining would repeat what the
    search saw. All start from the same initial weights.

    Source: AutoAugment (Cubuk et al. 2019); AugNet, appendix A.4, for TPE in place of PPO.
    """

    def __init__(self, setup: Setup, options: AutoAugmentOptions) -> None:
        self.setup, self.options = setup, options
        self.samplings: list[Sampling] = []
        self.slots: tuple[Slot, ...] = ()  # of the current child
        self.child: Training | None = None

    def step(self) -> bool:
        """Train a child for an epoch; True when the last child has ended."""
        if self.child is None:
            self.slots = propose(
                [Scored(sampling.slots, sampling.value) for sampling in self.samplings],
                list(self.setup.bank),
                seed=self.setup.seeds.integer("tpe", len(self.samplings)),
                n_startup=self.options.n_startup,
                n_candidates=self.options.n_candidates,
            )
            self.child = self._new_child()
        diverged = False
        try:
            self.child.step()
        except DivergedError:
            diverged = True
        if diverged or self.child.done:
            value = 0.0 if diverged else self._reward(self.child)
            self.samplings.append(Sampling(self.slots, value, self.child.epoch, diverged))
            self.slots, self.child = (), None
        return len(self.samplings) >= self.options.n_samplings

    def _reward(self, child: Training) -> float:
        """The metric of the child's best epoch on the view that compares policies."""
        with self.setup.meter.phase("validate"):
            return score(
                child.load_best(),
                self.setup.views.policy_valid,
                metric=self.setup.metric,
                n_classes=self.setup.n_classes,
                seed=child.seeds.integer("score"),
                meter=self.setup.meter,
            )

    def _new_child(self) -> Training:
        epochs = self.options.child_epochs or self.setup.training.epochs
        return retrain(
            self.setup,
            policy_at(self.slots, self.setup.bank),
            seeds=self.setup.seeds.child("child", len(self.samplings)),
            settings=replace(self.setup.training, epochs=epochs),
        )

    def artifact(self, *, last: bool = False) -> Policy | None:
        """The best policy so far, after every `samplings_per_point` samplings and the last."""
        n = len(self.samplings)
        ended = n >= self.options.n_samplings
        due = not self.child and (ended or n % self.options.samplings_per_point == 0)
        if n == 0 or not (due or last):
            return None
        best = max(self.samplings, key=lambda sampling: sampling.value)  # of equals the oldest
        return policy_at(best.slots, self.setup.bank)

    def learned(self) -> dict[str, Any]:
        """What each child reached, in order, and which of them diverged."""
        rewards = [sampling.value for sampling in self.samplings]
        return {
            "best_valid": max(rewards, default=-1.0),
            "rewards": rewards,
            "epochs": [sampling.n_epochs for sampling in self.samplings],
            "diverged": [n for n, sampling in enumerate(self.samplings) if sampling.diverged],
        }

    def state_dict(self) -> dict[str, Any]:
        """The samplings, from which the sampler is rebuilt, and the current child."""
        return {
            "samplings": [
                [[list(slot) for slot in s.slots], s.value, s.n_epochs, s.diverged]
                for s in self.samplings
            ],
            "slots": [list(slot) for slot in self.slots],
            "child": self.child.state_dict() if self.child else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.samplings = [
            Sampling(read_slots(slots), value, n_epochs, diverged)
            for slots, value, n_epochs, diverged in state["samplings"]
        ]
        self.slots, self.child = read_slots(state["slots"]), None
        if state["child"] is not None:
            self.child = self._new_child()
            self.child.load_state_dict(state["child"])


def build(setup: Setup, options: AutoAugmentOptions) -> AutoAugment:
    """Raises a UserError for an empty bank or a number below 1."""
    check_bank(setup.bank)
    for name in ("n_samplings", "samplings_per_point", "n_startup", "n_candidates"):
        require(options, name, getattr(options, name) >= 1, "1 or more")
    epochs = options.child_epochs
    require(options, "child_epochs", epochs is None or epochs >= 1, "1 or more")
    import_sampler()
    return AutoAugment(setup, options)

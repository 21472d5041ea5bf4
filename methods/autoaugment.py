"""AutoAugment, searched by TPE: trainings from scratch under policies that a sampler proposes."""

from dataclasses import dataclass, replace
from typing import Any

from augbench.datasets.errors import require
from augbench.methods.options.proposals import AutoAugmentOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.search_space import check_bank, policy_at
from augbench.methods.policies.slot import Slot, read_slots
from augbench.methods.policies.tpe import Batches, Scored, import_sampler
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.training.sampling import Proposal, Reached
from augbench.methods.training.training import DivergedError


@dataclass(frozen=True)
class TrainedChild:
    """A point of the search space, and what the training of its child reached."""

    slots: tuple[Slot, ...]
    value: float  # metric of the child's best epoch on the policy's validation view; 0: diverged
    n_epochs: int
    diverged: bool


class Child:
    """The training of a child under the policy of a proposal, and what it is worth."""

    def __init__(self, setup: Setup, options: AutoAugmentOptions, proposal: Proposal) -> None:
        self.setup, self.proposal = setup, proposal
        self.value, self.diverged = 0.0, False
        self.training = retrain(
            setup,
            policy_at(proposal.slots, setup.bank),
            seeds=setup.seeds.child("child", proposal.number),
            settings=replace(setup.training, epochs=options.child_epochs or setup.training.epochs),
        )

    def step(self) -> bool:
        """Train an epoch; True after the last, or when the loss is not finite."""
        try:
            self.training.step()
        except DivergedError:
            self.diverged = True
            return True
        if self.training.done:
            self.value = self._reward()
        return self.training.done

    def reached(self) -> Reached:
        """Its reward, and how long it was trained."""
        return Reached(self.value, self.training.epoch, self.diverged)

    def _reward(self) -> float:
        """The metric of the child's best epoch on the view that compares policies."""
        with self.setup.meter.phase("validate"):
            return self.training.score_best(self.setup.views.policy_valid)

    def state_dict(self) -> dict[str, Any]:
        """The training, and the reward once it is known."""
        training = self.training.state_dict()
        return {"training": training, "value": self.value, "diverged": self.diverged}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.training.load_state_dict(state["training"])
        self.value, self.diverged = state["value"], state["diverged"]


class AutoAugment:
    """One step is one epoch of the current child's training.

    Each child has random streams of its own. If all shared one stream, the search would fit the
    luck of that stream; if they used the setup's own, the final retraining would repeat what the
    search saw. All start from the same initial weights.

    Source: AutoAugment (Cubuk et al. 2019); AugNet, appendix A.4, for TPE in place of PPO.
    """

    def __init__(self, setup: Setup, options: AutoAugmentOptions) -> None:
        self.setup, self.options = setup, options
        self.samplings: list[TrainedChild] = []
        self.child: Child | None = None
        self._batches = Batches.of_tpe(
            options.parallel,
            list(setup.bank),
            setup.seeds,
            n_startup=options.n_startup,
            n_candidates=options.n_candidates,
        )

    def step(self) -> bool:
        """Train a child for an epoch; True when the last child has ended."""
        if self.child is None:
            number = len(self.samplings)
            self.child = self.begin(Proposal(number, self._batches.at(number, self._past)))
        if not self.child.step():
            return False
        child, self.child = self.child, None
        return self.tell(child.proposal, child.reached())

    @property
    def _past(self) -> list[Scored]:
        return [Scored(sampling.slots, sampling.value) for sampling in self.samplings]

    def proposals(self) -> list[Proposal]:
        """What is left of the batch, unless a child of it has been begun."""
        if self.child is not None:
            return []
        slots = self._batches.left(self._past, self.options.n_samplings)
        return [Proposal(n, each) for n, each in enumerate(slots, len(self.samplings))]

    def begin(self, proposal: Proposal) -> Child:
        """A child, not yet trained."""
        return Child(self.setup, self.options, proposal)

    def tell(self, proposal: Proposal, reached: Reached) -> bool:
        """Add what the next child has reached; True when it was the last."""
        assert proposal.number == len(self.samplings)
        self.samplings.append(TrainedChild(proposal.slots, *reached))
        return len(self.samplings) >= self.options.n_samplings

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
            "slots": [list(slot) for slot in self.child.proposal.slots] if self.child else [],
            "child": self.child.training.state_dict() if self.child else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""
        self.samplings = [
            TrainedChild(read_slots(slots), value, n_epochs, diverged)
            for slots, value, n_epochs, diverged in state["samplings"]
        ]
        self._batches.forget()
        self.child = None
        if state["child"] is not None:
            self.child = self.begin(Proposal(len(self.samplings), read_slots(state["slots"])))
            self.child.training.load_state_dict(state["child"])


def build(setup: Setup, options: AutoAugmentOptions) -> AutoAugment:
    """Raises a UserError for an empty bank or a number below 1."""
    check_bank(setup.bank)
    for name in ("n_samplings", "samplings_per_point", "n_startup", "n_candidates", "parallel"):
        require(options, name, getattr(options, name) >= 1, "1 or more")
    epochs = options.child_epochs
    require(options, "child_epochs", epochs is None or epochs >= 1, "1 or more")
    import_sampler()
    return AutoAugment(setup, options)

"""Options of the searches that propose policies and try them."""

from dataclasses import dataclass, field
from typing import Literal

from augbench.methods.options.row import LATER

Reward = Literal["any", "mean"]


@dataclass(frozen=True)
class RandomSearchOptions:
    """How long to search, and how long to train a child."""

    n_samplings: int = 80  # child trainings in all; about the paper's 12 hours
    samplings_per_point: int = 5  # between two policies that are scored. Paper: appendix A.4
    child_epochs: int | None = None  # at most; None: the task's
    # Samplings that are done at once on idle workers. The numbers do not depend on it.
    parallel: int = field(default=1, metadata=LATER)


@dataclass(frozen=True)
class AutoAugmentOptions:
    """How long to search, how to sample, how to train a child."""

    n_samplings: int = 80  # child trainings in all; about the paper's 12 hours
    samplings_per_point: int = 5  # between two policies that are scored. Paper: appendix A.4
    # Uniform draws before the first proposal; a search that is not longer is a random search.
    # Optuna's default.
    n_startup: int = 10
    n_candidates: int = 24  # that the sampler compares per number. Optuna's default
    child_epochs: int | None = None  # at most; None: the task's
    # Samplings that are proposed together, without each other's values, and done at once on idle
    # workers. The numbers depend on it, but not on where the samplings are done. 1: one after the
    # other.
    parallel: int = field(default=1, metadata=LATER)


@dataclass(frozen=True)
class FastAutoAugmentOptions:
    """How to pretrain, how long to search, what a policy is worth."""

    n_samplings: int = (
        500  # policies tried in all; the official search has 200 for each of 5 splits
    )
    samplings_per_point: int = 5  # between two policies that are scored. Paper: appendix A.4
    n_startup: int = 10  # uniform draws before the first proposal. Optuna's default
    n_candidates: int = 24  # that the sampler compares per number. Optuna's default
    # Epochs, at most, of the network that policies are tried on; None: the task's. It also stops by
    # the task's patience: after 46 epochs in the paper.
    pretrain_epochs: int | None = None
    # A sample counts as right if any of its augmented copies is classified rightly, or by the share
    # of copies that are. Official: any.
    reward: Reward = "any"
    n_copies: int = 5  # of each validation sample, each with draws of its own. Official: 5
    # The best trials, whose subpolicies are merged into the policy. The paper's policy has 5
    # subpolicies, which is one trial; the official code merges 10 trials of each split.
    n_best: int = 1
    # Samplings that are proposed together, without each other's values, and done at once on idle
    # workers. The numbers depend on it, but not on where the samplings are done. 1: one after the
    # other.
    parallel: int = field(default=1, metadata=LATER)

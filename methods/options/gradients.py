"""Options of the searches that learn a policy by gradients."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FasterAutoAugmentOptions:
    """How long to search, and how the critic learns."""

    epochs: int = 100  # The official search: 20
    epochs_per_point: int = 2  # between two policies that are scored. Paper: appendix A.4
    learning_rate: float = 1e-3  # of the policy, by Adam. Official: 1e-3
    critic_learning_rate: float = 1e-3  # of the critic and its trunk, by Adam. Official: 1e-3
    temperature: float = 0.05  # of the choice among operations. Official: 0.05
    class_weight: float = 0.1  # of the cross-entropy in both losses. Official: 0.1
    # Samples of a batch, half real and half augmented; None: the task's, but at least 32, at which
    # the critic learns in half of the steps that it needs at 8. Official: 128.
    batch_size: int | None = None


@dataclass(frozen=True)
class BilevelOptions:
    """How a policy and its trunk are learned together."""

    # Epochs of the trunk without a policy, before the search. ADDA in the paper: 20 (the run
    # relax-adda-ws-5e4 of its figure 8). DADA has none.
    warm_start: int
    learning_rate: float  # of the policy, by Adam. ADDA in the paper: 5e-4. DADA: 5e-3
    epochs: int = 100  # of the search, after the warm start. DADA on CIFAR10: 20
    epochs_per_point: int = 2  # between two policies that are scored. Paper: appendix A.4
    # Samples of the validation view in each update; None: four times the task's batch size, for
    # which see OUTER_BATCHES in methods/training/bilevel.py. The paper gives no number, but says
    # (section 5.2) that it has to be tuned together with the learning rate.
    outer_batch_size: int | None = None
    # Of choices and probabilities. Figure 8 of the paper: relax.
    estimator: Literal["relax", "gumbel"] = "relax"
    # By a second backward pass, or by differences of two passes as in all official codes. The first
    # is cheaper and has no noise, but on trunks with kinks it misses a part of the slopes of
    # magnitudes: see methods/gradients/hypergradient.py. Differences need float32.
    hypergradient: Literal["exact", "differences"] = "exact"
    control_learning_rate: float = 5e-3  # of RELAX's control variate, by Adam. DADA: 5e-3


@dataclass(frozen=True)
class DadaOptions(BilevelOptions):
    """How a policy and its trunk are learned together; the defaults are the official ones."""

    warm_start: int = 0
    learning_rate: float = 5e-3  # Source: VDIGPKU/DADA
    # The final policy has this many pairs, those of largest logits, with equal weights. The paper:
    # 5; the official code for images: 25.
    n_best: int = 5


@dataclass(frozen=True)
class AddaOptions(BilevelOptions):
    """How a policy and its trunk are learned together; the defaults are the paper's for sleep."""

    # The run new-relax-adda-ws-5e4 behind figure 8 of the paper.
    warm_start: int = 20
    learning_rate: float = 5e-4

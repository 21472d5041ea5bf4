"""UniformAugment: two transforms at random, with random probabilities, at random strengths."""

from itertools import product

from augbench.datasets.errors import require
from augbench.methods.options.search_free import UniformAugmentOptions
from augbench.methods.policies.policy import Operation, Policy, Subpolicy, UpTo
from augbench.methods.policies.search_space import check_bank
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain

# A probability that is drawn from [0, 1] for each use and used once is a probability of one half.
MEAN_PROBABILITY = 0.5


def build(setup: Setup, options: UniformAugmentOptions) -> EndToEnd:
    """The trunk, trained under transforms drawn with replacement from the task's.

    For each use, the probability and the strength of a transform are drawn uniformly.

    Raises a UserError for an empty bank and a length out of range.
    Source: Lingchen et al. 2020 (UniformAugment).
    """
    check_bank(setup.bank)
    require(options, "n_operations", 1 <= options.n_operations <= 3, "1, 2 or 3")
    operations = [
        Operation(name, MEAN_PROBABILITY, UpTo(1.0) if transform.graded else None)
        for name, transform in setup.bank.items()
    ]
    sequences = product(operations, repeat=options.n_operations)
    return EndToEnd(retrain(setup, Policy(tuple(Subpolicy(each) for each in sequences))))

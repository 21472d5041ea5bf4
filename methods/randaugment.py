"""RandAugment: some transforms at random, all at one magnitude; a grid may find the two numbers."""

from itertools import product

from augbench.datasets.errors import require
from augbench.methods.options.search_free import RandAugmentOptions
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.policies.search_space import check_bank
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain


def build(setup: Setup, options: RandAugmentOptions) -> EndToEnd:
    """The trunk, trained under transforms drawn with replacement from the task's, the identity too.

    The magnitude is the same for all transforms and samples. For those that draw their strength
    (all of images; shifts of frequency and rotations of the cap) it is the largest strength, and
    what acts is uniform up to it; the papers' transforms of images have just that strength, with a
    random sign. For the others (noise, masks, dropout, shuffle, phases, band-stop) it is the
    strength itself.

    Raises a UserError for an empty bank and numbers out of range.
    Source: Cubuk et al. 2020 (RandAugment).
    """
    check_bank(setup.bank)
    require(options, "n_operations", 1 <= options.n_operations <= 3, "1, 2 or 3")
    require(options, "magnitude", 0 <= options.magnitude <= 1, "in [0, 1]")
    # The identity counts as one more transform: each of the others acts with probability
    # n / (n + 1).
    probability = len(setup.bank) / (len(setup.bank) + 1)
    operations = [
        Operation(name, probability, options.magnitude if transform.graded else None)
        for name, transform in setup.bank.items()
    ]
    sequences = product(operations, repeat=options.n_operations)
    return EndToEnd(retrain(setup, Policy(tuple(Subpolicy(each) for each in sequences))))

"""TrivialAugment: one transform at random, at a random strength; nothing to search or to set."""

from augbench.methods.options.search_free import TrivialAugmentOptions
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.policies.search_space import check_bank
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain


def build(setup: Setup, options: TrivialAugmentOptions) -> EndToEnd:
    """The trunk, trained under one transform a sample, drawn evenly from the task's and identity.

    At magnitude 1 our transforms draw their strength evenly from the whole range, as the paper's
    method draws it from 31 bins. Its wide space (shear 0.99, translate by 32 pixels, rotate by 135
    degrees) is for the suite to ask for, by ``ranges``.

    Raises a UserError for an empty bank.
    Source: Mueller and Hutter 2021 (TrivialAugment).
    """
    check_bank(setup.bank)
    probability = len(setup.bank) / (len(setup.bank) + 1)  # the identity is one transform more
    operations = [
        Operation(name, probability, 1.0 if transform.graded else None)
        for name, transform in setup.bank.items()
    ]
    return EndToEnd(retrain(setup, Policy(tuple(Subpolicy((each,)) for each in operations))))

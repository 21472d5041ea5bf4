"""TrivialAugment: one transform at random, at a random strength; nothing to search or to set."""

from collections.abc import Mapping

from augbench.methods.options.search_free import TrivialAugmentOptions
from augbench.methods.policies.policy import NOTHING, Operation, Policy, Subpolicy, UpTo
from augbench.methods.policies.search_space import check_bank
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain
from augbench.methods.transforms.transform import Transform


def build(setup: Setup, options: TrivialAugmentOptions) -> EndToEnd:
    """The trunk, trained under one transform a sample, drawn evenly from the task's and identity.

    With per = "sample" the strength that acts is uniform between none and the strongest, where the
    paper's method draws it from 31 bins. A transform without strength always acts, as in the paper.
    The paper's wide space (shear 0.99, translate by 32 pixels, rotate by 135 degrees) is for the
    suite to ask for, by ``ranges``.

    Raises a UserError for an empty bank.
    Source: Mueller and Hutter 2021 (TrivialAugment).
    """
    check_bank(setup.bank)
    return EndToEnd(retrain(setup, Policy(_subpolicies(setup.bank), per=options.per)))


def _subpolicies(bank: Mapping[str, Transform]) -> tuple[Subpolicy, ...]:
    operations = [
        Operation(name, 1.0, UpTo(1.0) if transform.graded else None)
        for name, transform in bank.items()
    ]
    return (NOTHING, *(Subpolicy((each,)) for each in operations))

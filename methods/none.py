"""No augmentation: the plain training that every other method is compared with."""

from augbench.methods.options.search_free import NoneOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.training.end_to_end import EndToEnd
from augbench.methods.training.method import Setup
from augbench.methods.training.retraining import retrain


def build(setup: Setup, options: NoneOptions) -> EndToEnd:
    """The trunk, trained on batches as they are.

    Source: the plain training of AugNet, section 5.
    """
    return EndToEnd(retrain(setup, Policy()))

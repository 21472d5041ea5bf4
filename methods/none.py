"""No augmentation: the plain training that every other method is compared with."""

from dataclasses import dataclass

from methods.end_to_end import EndToEnd
from methods.method import Setup
from methods.policy import Policy
from methods.retraining import retrain


@dataclass(frozen=True)
class NoneOptions:
    """Nothing to choose."""


def build(setup: Setup, options: NoneOptions) -> EndToEnd:
    """The trunk, trained on the untouched batches.

    Source: none to name.
    """
    return EndToEnd(retrain(setup, Policy()))

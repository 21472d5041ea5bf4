"""Random search: AutoAugment's loop, with uniform draws in place of proposals."""

from dataclasses import dataclass

from augbench.methods import autoaugment
from augbench.methods.autoaugment import AutoAugment, AutoAugmentOptions
from augbench.methods.training.method import Setup


@dataclass(frozen=True)
class RandomSearchOptions:
    """How long to search, how to train a child."""

    n_samplings: int = 80  # child trainings in all; about the paper's 12 hours
    samplings_per_point: int = 5  # a policy is shown every so many. Paper: appendix A.4
    child_epochs: int | None = None  # at most; None: the task's


def build(setup: Setup, options: RandomSearchOptions) -> AutoAugment:
    """A search that never gets past the sampler's uniform draws; errors as in `autoaugment`.

    Source: the run `randomsearch` behind figure 8 of AugNet.
    """
    return autoaugment.build(
        setup,
        AutoAugmentOptions(
            n_samplings=options.n_samplings,
            samplings_per_point=options.samplings_per_point,
            n_startup=max(1, options.n_samplings),
            child_epochs=options.child_epochs,
        ),
    )

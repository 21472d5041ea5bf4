"""Random search: AutoAugment's loop, with uniform draws in place of proposals."""

from augbench.methods import autoaugment
from augbench.methods.autoaugment import AutoAugment
from augbench.methods.options.proposals import AutoAugmentOptions, RandomSearchOptions
from augbench.methods.training.method import Setup


def build(setup: Setup, options: RandomSearchOptions) -> AutoAugment:
    """AutoAugment whose sampler draws uniformly until the end; errors as in `autoaugment`.

    Source: the run `randomsearch` behind figure 8 of AugNet.
    """
    return autoaugment.build(
        setup,
        AutoAugmentOptions(
            n_samplings=options.n_samplings,
            samplings_per_point=options.samplings_per_point,
            n_startup=max(1, options.n_samplings),
            child_epochs=options.child_epochs,
            parallel=options.parallel,
        ),
    )

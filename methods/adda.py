"""ADDA: a policy of stages, learned by hypergradients; CADDA learns one for each class."""

from augbench.methods.options.gradients import AddaOptions
from augbench.methods.policies.search_space import learnable_transforms
from augbench.methods.policies.soft_policy import make_stage_policy
from augbench.methods.training.bilevel import Bilevel, check
from augbench.methods.training.method import Setup


def build(setup: Setup, options: AddaOptions, *, n_groups: int = 1) -> Bilevel:
    """Raises a UserError for a bank without gradients and for numbers out of range.

    The policy has 5 subpolicies of 2 stages. Each stage draws one transform, so the frozen policy
    holds all pairs, each with the probability that the stages draw it.

    Source: Rommel et al. 2022 (CADDA), section 4 and algorithm 1; what was not published (initial
    values, outer batch) follows moskomule/dda and VDIGPKU/DADA.
    """
    check(setup, options)
    policy = make_stage_policy(learnable_transforms(setup.bank), n_groups=n_groups)
    policy.reset_parameters(setup.seeds.generator("policy"))
    return Bilevel(setup, options, policy, policy.freeze)


def build_class_wise(setup: Setup, options: AddaOptions) -> Bilevel:
    """The same with a policy for each class; errors as in `build`.

    Source: Rommel et al. 2022 (CADDA), section 3.
    """
    return build(setup, options, n_groups=setup.n_classes)

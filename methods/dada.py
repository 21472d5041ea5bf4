"""DADA: one choice among all pairs of transforms, learned by hypergradients."""

from functools import partial

from augbench.datasets.errors import UserError, require
from augbench.methods.options.gradients import DadaOptions
from augbench.methods.policies.search_space import learnable_transforms
from augbench.methods.policies.soft_policy import make_pair_policy
from augbench.methods.training.bilevel import Bilevel, check
from augbench.methods.training.method import Setup


def build(setup: Setup, options: DadaOptions) -> Bilevel:
    """Raises a UserError for fewer than 2 transforms with gradients and numbers out of range.

    As in ADDA the virtual step is plain descent. The official code adds momentum and decay, since
    its trunk learns by SGD. Each sample draws a pair of its own. In the official code a whole batch
    shares one draw, so that a search sees each pair three times; and the gradient of a magnitude is
    the sum of the pixels' gradients for every operation, where here it is the derivative.

    Source: Li et al. 2020 (DADA); VDIGPKU/DADA, for the numbers.
    """
    check(setup, options)
    require(options, "n_best", options.n_best >= 1, "1 or more")
    transforms = learnable_transforms(setup.bank)
    if len(transforms) < 2:
        raise UserError("DADA chooses among pairs of transforms; the task lists fewer than 2")
    policy = make_pair_policy(transforms)
    return Bilevel(setup, options, policy, partial(policy.freeze, options.n_best))

"""Policies drawn at random and never compared: the baseline that a search has to beat."""

from typing import Any

from augbench.datasets.errors import UserError
from augbench.methods.options.search_free import RandomPolicyOptions
from augbench.methods.policies.policy import Policy
from augbench.methods.policies.search_space import check_bank, policy_at, random_slots
from augbench.methods.training.method import Setup


class RandomPolicy:
    """One step draws one policy from the space that the searches share; it costs nothing."""

    def __init__(self, setup: Setup, options: RandomPolicyOptions) -> None:
        self.setup, self.options = setup, options
        self.n_drawn = 0

    def step(self) -> bool:
        """Draw the next policy; True when it is the last one."""
        self.n_drawn += 1
        return self.n_drawn >= self.options.n_policies

    def artifact(self, *, last: bool = False) -> Policy | None:
        """The policy of the last step; it depends on nothing but the seed and its number."""
        if self.n_drawn == 0:
            return None
        generator = self.setup.seeds.generator("random policy", self.n_drawn)
        return policy_at(random_slots(self.setup.bank, generator), self.setup.bank)

    def learned(self) -> dict[str, Any]:
        """This method learns nothing."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """How many policies have been drawn."""
        return {"n_drawn": self.n_drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there."""
        self.n_drawn = state["n_drawn"]


def build(setup: Setup, options: RandomPolicyOptions) -> RandomPolicy:
    """Raises a UserError for an empty bank or no policies to draw.

    Source: AutoAugment (Cubuk et al. 2019), section 3, for the space. Issues 5 and 21 of
    kakaobrain/fast-autoaugment report that such policies do about as well as searched ones.
    """
    check_bank(setup.bank)
    if options.n_policies < 1:
        raise UserError(f"n_policies is {options.n_policies}; it has to be 1 or more")
    return RandomPolicy(setup, options)

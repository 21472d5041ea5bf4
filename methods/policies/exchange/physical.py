"""Policies with strengths in the units of the transforms, which is what all forms share."""

from typing import NamedTuple

from augbench.datasets.errors import UserError, unknown
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.policies.number import finite_number, shown
from augbench.methods.policies.policy import Operation, Policy, Subpolicy, UpTo
from augbench.methods.policies.policy_file import MOST_SUBPOLICIES, bank_of, generic_bank


class Step(NamedTuple):
    """An operation; its strength is in the unit of its transform, None for an ungraded one."""

    transform: str
    probability: float
    strength: float | None
    made_of: ImportedOptions | None = None  # an augmentation of another library


class Chain(NamedTuple):
    """A subpolicy."""

    weight: float
    steps: tuple[Step, ...]


def to_chains(policy: Policy, lost: list[str]) -> list[Chain]:
    """The subpolicies of a policy; what they cannot hold is added to ``lost``.

    Raises a UserError for a class-wise policy, and for a transform that is not known.
    """
    if policy.by_class:
        raise UserError(
            f"this policy augments each of {len(policy.by_class)} classes in a way of its own; "
            "only augbench's own JSON can hold that: leave out --to"
        )
    if policy.per == "batch":
        lost.append("a batch shares what is drawn here; there each example draws for itself")
    bank = bank_of(policy)
    chains = []
    for subpolicy in policy.subpolicies:
        steps = []
        for operation in subpolicy.operations:
            name, magnitude = operation.transform, operation.magnitude
            if name not in bank:
                raise unknown("transform", name, bank)
            if isinstance(magnitude, UpTo):
                limit = magnitude.magnitude
                if not bank[name].draws_strength:
                    limit /= 2
                    lost.append(f"{name}: its magnitude is drawn anew here; there it is the mean")
            else:
                limit = magnitude or 0.0
            strongest = policy.ranges.get(name, bank[name].strongest)
            strength = None if magnitude is None else limit * strongest
            steps.append(Step(name, operation.probability, strength, bank[name].imported))
        chains.append(Chain(subpolicy.weight, tuple(steps)))
    return chains


def to_policy(chains: list[Chain]) -> Policy:
    """The policy of some subpolicies; ranges are as usual, or up to the largest strength."""
    imported = made_of(chains)
    bank = generic_bank(imported)
    ranges: dict[str, float] = {}
    for name, strength in largest_strengths(chains).items():
        if strength is not None:
            ranges[name] = max(bank[name].strongest, strength)
    subpolicies = tuple(
        Subpolicy(
            tuple(
                Operation(
                    name,
                    probability,
                    None if strength is None else min(1.0, strength / ranges[name]),
                )
                for name, probability, strength, _ in chain.steps
            ),
            chain.weight,
        )
        for chain in chains
    )
    return Policy(subpolicies, ranges=ranges, imported=imported)


def made_of(chains: list[Chain]) -> dict[str, ImportedOptions]:
    """What the augmentations of other libraries are made of, by name.

    Raises a UserError where one name stands for two, which a policy cannot hold.
    """
    found: dict[str, ImportedOptions] = {}
    for step in (step for chain in chains for step in chain.steps):
        if step.made_of is not None and found.setdefault(step.transform, step.made_of) != (
            step.made_of
        ):
            one, other = found[step.transform].to_plain(), step.made_of.to_plain()
            raise UserError(
                f"it holds {step.transform} in two forms, {one} and {other}; a policy of augbench "
                "has one form of each transform: keep one of them"
            )
    return found


def largest_strengths(chains: list[Chain]) -> dict[str, float | None]:
    """The transforms in use, each with its largest strength; None for ungraded ones."""
    found: dict[str, float | None] = {}
    for chain in chains:
        for name, _, strength, _ in chain.steps:
            if strength is None:
                found[name] = None
            else:
                found[name] = max(found.get(name) or 0.0, strength)
    return dict(sorted(found.items()))


def check_probability(what: str, given: object) -> float:
    """A probability that a file holds; a UserError unless it lies in [0, 1]."""
    number = check_number(what, given)
    if not 0.0 <= number <= 1.0:
        raise UserError(f"{what} has the probability {given}; it has to lie in [0, 1]")
    return number


def check_number(what: str, given: object) -> float:
    """A number that a file holds; a UserError if it is none."""
    number = finite_number(given)
    if number is None:
        raise UserError(f"{what} has {shown(given)} where a number has to be")
    return number


def check_weight(given: object) -> float:
    """The weight of a subpolicy that a file holds; a UserError unless it is above 0."""
    weight = check_number("a weight", given)
    if weight <= 0:
        raise UserError(f"it holds a weight of {given}; it has to be above 0")
    return weight


def check_count(n_subpolicies: int) -> None:
    """Raises a UserError for more subpolicies than a policy may have."""
    if n_subpolicies > MOST_SUBPOLICIES:
        raise UserError(
            f"it holds {n_subpolicies} subpolicies; augbench takes {MOST_SUBPOLICIES} at most"
        )

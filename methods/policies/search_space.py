"""The space of policies: slots, each a transform and two numbers in [0, 1]."""

from collections.abc import Mapping, Sequence

import torch
from torch import Generator

from augbench.datasets.errors import UserError
from augbench.methods.policies.policy import Operation, Policy, Subpolicy
from augbench.methods.policies.slot import Slot
from augbench.methods.transforms.transform import Transform

N_SUBPOLICIES = 5
N_OPERATIONS = 2
N_SLOTS = N_SUBPOLICIES * N_OPERATIONS


def policy_at(slots: Sequence[Slot], bank: Mapping[str, Transform]) -> Policy:
    """The policy at a point of the space: slots 2k and 2k + 1 are the operations of subpolicy k.

    Source: AutoAugment (Cubuk et al. 2019), section 3: 5 equally likely
    subpolicies of 2 operations.
    """
    assert len(slots) == N_SLOTS
    operations = [
        Operation(slot.transform, slot.probability, slot.magnitude)
        if bank[slot.transform].graded
        else Operation(slot.transform, slot.probability, None)
        for slot in slots
    ]
    return Policy(
        tuple(
            Subpolicy(tuple(operations[start : start + N_OPERATIONS]))
            for start in range(0, N_SLOTS, N_OPERATIONS)
        )
    )


def random_slots(bank: Mapping[str, Transform], generator: Generator) -> list[Slot]:
    """A point drawn uniformly."""
    names = list(bank)
    indices = torch.randint(len(names), (N_SLOTS,), generator=generator).tolist()
    numbers = torch.rand(N_SLOTS, 2, generator=generator, dtype=torch.float64).tolist()
    return [
        Slot(names[index], probability, magnitude)
        for index, (probability, magnitude) in zip(indices, numbers, strict=True)
    ]


def check_bank(bank: Mapping[str, Transform]) -> None:
    """Raises a UserError for a bank without transforms."""
    if not bank:
        raise UserError("the task lists no transforms; a search for policies needs at least one")


def learnable_transforms(bank: Mapping[str, Transform]) -> list[Transform]:
    """The transforms whose magnitude has a gradient, in the order of the bank.

    Raises a UserError when there is none. In the paper the searches by gradient leave out the
    band-stop filter, which has no gradient there. Here it has one, so that all methods choose among
    the same transforms, but for `crop`, which moves by whole pixels.
    """
    found = [transform for transform in bank.values() if transform.gradient != "none"]
    if not found:
        raise UserError(
            "the task lists no transform with a gradient; this search needs at least one; "
            f"it lists: {', '.join(bank) or 'none'}"
        )
    return found

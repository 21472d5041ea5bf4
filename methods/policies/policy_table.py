"""The one hard way in which a policy is applied to a batch."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from augbench.methods.policies.policy import NOTHING, Operation, Policy
from augbench.methods.transforms.transform import Transform

SPARED = -1  # in place of the index of a transform: a sample that none is applied to


class _Stage(NamedTuple):
    """The operations of one stage, one a subpolicy."""

    transforms: tuple[Transform, ...]
    which: Tensor  # (R,) index of a transform, or SPARED where a subpolicy is shorter
    probability: Tensor  # (R,)
    magnitude: Tensor  # (R,)


class PolicyTable:
    """A policy as tensors on a device, made once for all batches of a training.

    With thousands of subpolicies, as CADDA has them, making it takes as long as ten batches.
    """

    def __init__(self, policy: Policy, bank: Mapping[str, Transform], device: torch.device) -> None:
        groups = [group or (NOTHING,) for group in policy.by_class or (policy.subpolicies,)]
        rows = [row for group in groups for row in group]
        self.by_class = bool(policy.by_class)
        sizes = torch.tensor([len(group) for group in groups])
        self.first = (sizes.cumsum(0) - sizes).to(device)  # (G,) of the rows of each group
        weights = [torch.tensor([row.weight for row in group]) for group in groups]
        self.weights = pad_sequence(weights, batch_first=True).to(device)  # (G, longest)
        n_stages = max(len(row.operations) for row in rows)
        self.stages = [
            _stage(
                [row.operations[n] if n < len(row.operations) else None for row in rows],
                bank,
                device,
            )
            for n in range(n_stages)
        ]

    def apply(self, x: Tensor, y: Tensor, generator: Generator | None) -> Tensor:
        """Augment a batch: each sample draws a subpolicy, then operations fire by probability.

        (B, ...), (B,) labels -> (B, ...); x is left untouched. Labels matter to class-wise policies
        alone. Search and retraining share this order of operations.
        """
        if not self.stages:
            return x
        group = y if self.by_class else torch.zeros_like(y, dtype=torch.int64)
        drawn = self.weights[group].multinomial(1, generator=generator).squeeze(1)
        drawn = drawn + self.first[group]
        for stage in self.stages:
            uniform = torch.rand(len(x), generator=generator, device=x.device)
            which = stage.which[drawn].masked_fill(uniform >= stage.probability[drawn], SPARED)
            x = apply_each(which, stage.magnitude[drawn], x, stage.transforms, generator)
        return x


def _stage(
    operations: Sequence[Operation | None], bank: Mapping[str, Transform], device: torch.device
) -> _Stage:
    names = sorted({each.transform for each in operations if each})
    place = {name: index for index, name in enumerate(names)}
    return _Stage(
        tuple(bank[name] for name in names),
        torch.tensor([place[o.transform] if o else SPARED for o in operations], device=device),
        torch.tensor([o.probability if o else 0.0 for o in operations], device=device),
        torch.tensor(
            [1.0 if not o or o.magnitude is None else o.magnitude for o in operations],
            device=device,
        ),
    )


def apply_each(
    which: Tensor,  # (B,) the transform of each sample by its index, or SPARED
    magnitude: Tensor,  # (B,) through which gradients flow
    x: Tensor,
    transforms: Sequence[Transform],
    generator: Generator | None,
) -> Tensor:
    """Apply to each sample a transform of its own; x is left untouched.

    Each transform acts once, on all samples that ask for it: hundreds of subpolicies cost no more
    calls than there are transforms.
    """
    for index, transform in enumerate(transforms):
        rows = (which == index).nonzero().squeeze(1)
        if len(rows):
            chosen = x[rows]
            noise = transform.draw(chosen, generator)
            x = x.index_copy(0, rows, transform.apply(chosen, magnitude[rows], noise))
    return x

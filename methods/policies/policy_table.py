"""The one way in which a policy of hard choices is applied to a batch."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from augbench.methods.options.search_free import Per
from augbench.methods.policies.policy import NOTHING, Operation, Policy, UpTo
from augbench.methods.transforms.transform import Transform

UNTOUCHED = -1  # in place of the index of a transform: none is applied to this sample


class _Stage(NamedTuple):
    """The operations of one stage, one a subpolicy."""

    transforms: tuple[Transform, ...]
    which: Tensor  # (R,) index of a transform, or UNTOUCHED where a subpolicy is shorter
    probability: Tensor  # (R,)
    magnitude: Tensor  # (R,)
    drawn: Tensor | None  # (R,) bool: where the magnitude is drawn anew; None: nowhere


class PolicyTable:
    """A policy as tensors on a device, made once for all batches of a training.

    With thousands of subpolicies, as CADDA has them, making it takes as long as ten batches.
    """

    def __init__(self, policy: Policy, bank: Mapping[str, Transform], device: torch.device) -> None:
        groups = [group or (NOTHING,) for group in policy.by_class or (policy.subpolicies,)]
        rows = [row for group in groups for row in group]
        self.by_class, self.per = bool(policy.by_class), policy.per
        sizes = torch.tensor([len(group) for group in groups])
        self.first = (sizes.cumsum(0) - sizes).to(device)  # (G,) of the rows of each group
        weights = [torch.tensor([row.weight for row in group]) for group in groups]
        self.weights = pad_sequence(weights, batch_first=True).to(device)  # (G, longest)
        n_stages = max(len(row.operations) for row in rows)
        self.stages = [
            _stage(
                [row.operations[n] if n < len(row.operations) else None for row in rows],
                bank,
                policy.per,
                device,
            )
            for n in range(n_stages)
        ]

    def apply(self, x: Tensor, y: Tensor, generator: Generator | None) -> Tensor:
        """Augment a batch: each sample draws a subpolicy, then operations fire by probability.

        (B, ...), (B,) labels -> (B, ...); x is left untouched. Only class-wise policies look at
        labels. Search and retraining share this order of operations.
        """
        if not self.stages:
            return x
        group = y if self.by_class else torch.zeros_like(y, dtype=torch.int64)
        drawn = self._draw_rows(group, generator) + self.first[group]
        for stage in self.stages:
            uniform = self._draw_uniform(group, generator)
            which = stage.which[drawn].masked_fill(uniform >= stage.probability[drawn], UNTOUCHED)
            magnitude = stage.magnitude[drawn]
            if stage.drawn is not None:
                share = self._draw_uniform(group, generator)
                magnitude = torch.where(stage.drawn[drawn], share * magnitude, magnitude)
            x = apply_each(which, magnitude, x, stage.transforms, generator)
        return x

    def _draw_rows(self, group: Tensor, generator: Generator | None) -> Tensor:
        """(B,) -> (B,): the place of a subpolicy in its group."""
        if self.per == "batch":
            return self.weights.multinomial(1, generator=generator).squeeze(1)[group]
        return self.weights[group].multinomial(1, generator=generator).squeeze(1)

    def _draw_uniform(self, group: Tensor, generator: Generator | None) -> Tensor:
        """(B,) -> (B,) in [0, 1): a number for each sample, or the same one for a whole group."""
        device = group.device
        if self.per == "batch":
            return torch.rand(len(self.weights), generator=generator, device=device)[group]
        return torch.rand(len(group), generator=generator, device=device)


def _stage(
    operations: Sequence[Operation | None],
    bank: Mapping[str, Transform],
    per: Per,
    device: torch.device,
) -> _Stage:
    names = sorted({each.transform for each in operations if each})
    place = {name: index for index, name in enumerate(names)}
    drawn = [o is not None and _is_drawn(o, bank[o.transform], per) for o in operations]
    return _Stage(
        tuple(bank[name] for name in names),
        torch.tensor([place[o.transform] if o else UNTOUCHED for o in operations], device=device),
        torch.tensor([o.probability if o else 0.0 for o in operations], device=device),
        torch.tensor([_limit(o) for o in operations], device=device),
        torch.tensor(drawn, device=device) if any(drawn) else None,
    )


def _is_drawn(operation: Operation, transform: Transform, per: Per) -> bool:
    # A transform that draws its strength itself, uniform up to the magnitude, has what `UpTo`
    # promises at the limit. To draw its magnitude too would give the product of two uniform
    # numbers. In a batch that shares one strength the magnitude is what is shared.
    return isinstance(operation.magnitude, UpTo) and (
        per == "batch" or not transform.draws_strength
    )


def _limit(operation: Operation | None) -> float:
    magnitude = operation.magnitude if operation else None
    if isinstance(magnitude, UpTo):
        return magnitude.magnitude
    return 1.0 if magnitude is None else magnitude


def apply_each(
    which: Tensor,  # (B,) the transform of each sample by its index, or UNTOUCHED
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

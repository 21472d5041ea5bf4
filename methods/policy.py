"""A policy as plain data, and the one hard way in which a policy is applied to a batch."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from datasets.errors import UserError, unknown
from methods.transforms.transform import Transform

SCHEMA = 1

SPARED = -1  # in place of the index of a transform: a sample that none is applied to


@dataclass(frozen=True)
class Operation:
    """A transform that is applied to a sample with a probability, at a magnitude."""

    transform: str
    probability: float
    magnitude: float | None  # None for an ungraded transform, which the probability alone controls


@dataclass(frozen=True)
class Subpolicy:
    """Operations applied one after the other, and how often this sequence is drawn."""

    operations: tuple[Operation, ...]
    weight: float = 1.0


NOTHING = Subpolicy(())


@dataclass(frozen=True)
class Policy:
    """Weighted subpolicies, of which each sample draws one; no subpolicies is no augmentation.

    ``by_class`` holds one tuple of subpolicies per class for class-wise policies (CADDA); it needs
    labels and so is used in training only, and ``subpolicies`` is then empty.
    """

    subpolicies: tuple[Subpolicy, ...] = ()
    by_class: tuple[tuple[Subpolicy, ...], ...] = ()

    @property
    def digest(self) -> str:
        """A hash of the content, the same in every process."""
        text = json.dumps(_plain(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def transforms(self) -> set[str]:
        """The names of the transforms in use."""
        groups = (self.subpolicies, *self.by_class)
        return {o.transform for group in groups for s in group for o in s.operations}


def apply(
    policy: Policy,
    x: Tensor,  # (B, ...)
    y: Tensor,  # (B,)
    bank: Mapping[str, Transform],
    generator: Generator | None,
) -> Tensor:
    """Augment a batch: each sample draws a subpolicy, then each operation fires by its probability.

    (B, ...) -> (B, ...); x is left untouched. Search and retraining share this order of operations.
    """
    return PolicyTable(policy, bank, x.device).apply(x, y, generator)


class _Stage(NamedTuple):
    """The operations of one stage, one a subpolicy."""

    transforms: tuple[Transform, ...]
    which: Tensor  # (R,) index of a transform, or SPARED where a subpolicy is shorter
    probability: Tensor  # (R,)
    magnitude: Tensor  # (R,)


class PolicyTable:
    """A policy as tensors on a device, made once for all batches of a training.

    Of 14,450 subpolicies (CADDA on CIFAR10) it takes some 80 ms, as much as ten batches.
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
        """Augment a batch as `apply` does."""
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


def masses(policy: Policy) -> dict[str, float]:
    """The share of each transform in all operations that fire, over classes that weigh equally."""
    groups = policy.by_class or (policy.subpolicies,)
    fired: dict[str, float] = defaultdict(float)
    for group in groups:
        total = sum(subpolicy.weight for subpolicy in group)
        for subpolicy in group:
            for operation in subpolicy.operations:
                fired[operation.transform] += subpolicy.weight / total * operation.probability
    return {name: value / (sum(fired.values()) or 1.0) for name, value in sorted(fired.items())}


def to_json(policy: Policy, bank: Mapping[str, Transform]) -> dict[str, Any]:
    """Plain data that explains itself: what magnitude 1 means stands beside each magnitude."""
    strongest = {
        name: {"strongest": bank[name].strongest, "unit": bank[name].unit}
        for name in sorted(policy.transforms)
    }
    return {"schema": SCHEMA, **_plain(policy), "transforms": strongest}


def from_json(record: Mapping[str, Any], bank: Mapping[str, Transform]) -> Policy:
    """The inverse of `to_json`.

    Raises a UserError for a newer schema, an unknown transform, a number out of range, or a
    transform whose magnitude 1 no longer means what it meant when the policy was written.
    """
    if record.get("schema") != SCHEMA:
        raise UserError(f"policy has schema {record.get('schema')}, this version reads {SCHEMA}")
    try:
        policy = Policy(
            tuple(read_subpolicy(s, bank) for s in record["subpolicies"]),
            tuple(tuple(read_subpolicy(s, bank) for s in group) for group in record["by_class"]),
        )
        for name in policy.transforms:
            _check_range(name, record["transforms"][name], bank[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"policy is not in the form that `to_json` writes: {error!r}") from error
    return policy


def _check_range(name: str, then: Mapping[str, Any], now: Transform) -> None:
    if then != {"strongest": now.strongest, "unit": now.unit}:
        raise UserError(
            f"policy was written when magnitude 1 of {name!r} meant {then['strongest']} "
            f"{then['unit']}; here it means {now.strongest} {now.unit}: rescale its magnitudes"
        )


def _plain(policy: Policy) -> dict[str, Any]:
    def group(subpolicies: tuple[Subpolicy, ...]) -> list[dict[str, Any]]:
        return [
            {"weight": s.weight, "operations": [list(_fields(o)) for o in s.operations]}
            for s in subpolicies
        ]

    return {
        "subpolicies": group(policy.subpolicies),
        "by_class": [group(g) for g in policy.by_class],
    }


def _fields(operation: Operation) -> tuple[str, float, float | None]:
    return operation.transform, operation.probability, operation.magnitude


def read_subpolicy(record: Mapping[str, Any], bank: Mapping[str, Transform]) -> Subpolicy:
    """A subpolicy from its ``operations`` and ``weight``; raises UserErrors as `from_json` does."""
    operations = []
    for name, probability, magnitude in record["operations"]:
        if name not in bank:
            raise unknown("transform", name, bank)
        if bank[name].graded != (magnitude is not None):
            needs = "needs a magnitude" if bank[name].graded else "takes no magnitude"
            raise UserError(f"transform {name!r} {needs}; the policy says {magnitude}")
        for number in (probability, magnitude):
            if number is not None and not 0.0 <= number <= 1.0:
                raise UserError(f"policy holds {number} for {name!r}; it has to lie in [0, 1]")
        operations.append(Operation(name, probability, magnitude))
    if not 0.0 < record["weight"] < float("inf"):
        raise UserError(f"policy holds a weight of {record['weight']}; it has to be above 0")
    return Subpolicy(tuple(operations), record["weight"])

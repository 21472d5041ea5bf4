"""A policy as plain data: policy_table.py says what it does to a batch."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augbench.datasets.errors import UserError, unknown
from augbench.methods.transforms.transform import Transform

SCHEMA = 1


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
        return _digest(_plain(self))

    @property
    def transforms(self) -> set[str]:
        """The names of the transforms in use."""
        groups = (self.subpolicies, *self.by_class)
        return {o.transform for group in groups for s in group for o in s.operations}


def operation_shares(policy: Policy) -> dict[str, float]:
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


def digest_in(record: Mapping[str, Any]) -> str:
    """The digest of the policy in a record of `to_json`; a KeyError if it holds no policy."""
    return _digest({key: record[key] for key in ("subpolicies", "by_class")})


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


def _digest(plain: Mapping[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


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

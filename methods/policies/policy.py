"""A policy as plain data; policy_table.py applies it to a batch."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from augbench.datasets.errors import UserError, unknown
from augbench.methods.options.search_free import Per
from augbench.methods.transforms.transform import Transform

SCHEMA = 2  # 1 had neither magnitudes that are drawn nor `per`


@dataclass(frozen=True)
class UpTo:
    """A magnitude that is drawn anew, so that the strength that acts is uniform from 0 to this."""

    magnitude: float


@dataclass(frozen=True)
class Operation:
    """A transform that is applied to a sample with a probability, at a magnitude."""

    transform: str
    probability: float
    # In [0, 1]. None for an ungraded transform, which the probability alone controls.
    magnitude: float | UpTo | None


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
    labels and so is used in training only, and ``subpolicies`` is then empty. With ``per`` "batch"
    all samples of a batch (of a class, in a class-wise policy) share what the policy draws.
    """

    subpolicies: tuple[Subpolicy, ...] = ()
    by_class: tuple[tuple[Subpolicy, ...], ...] = ()
    per: Per = "sample"

    @property
    def digest(self) -> str:
        """A hash of the content, the same in every process."""
        text = json.dumps(_plain(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def transforms(self) -> set[str]:
        """The names of the transforms in use."""
        return {operation.transform for operation in _operations(self)}


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
    # A version that reads schema 1 alone reads all policies that it understands.
    draws = any(isinstance(each.magnitude, UpTo) for each in _operations(policy))
    schema = SCHEMA if draws or policy.per != "sample" else 1
    return {"schema": schema, **_plain(policy), "transforms": strongest}


def from_json(record: Mapping[str, Any], bank: Mapping[str, Transform]) -> Policy:
    """The inverse of `to_json`.

    Raises a UserError for a newer schema, an unknown transform, a number out of range, or a
    transform whose magnitude 1 no longer means what it meant when the policy was written.
    """
    if record.get("schema") not in (1, SCHEMA):
        raise UserError(
            f"policy has schema {record.get('schema')}, this version reads 1 to {SCHEMA}"
        )
    try:
        policy = Policy(
            tuple(read_subpolicy(s, bank) for s in record["subpolicies"]),
            tuple(tuple(read_subpolicy(s, bank) for s in group) for group in record["by_class"]),
            _read_per(record.get("per", "sample")),
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


def _operations(policy: Policy) -> list[Operation]:
    groups = (policy.subpolicies, *policy.by_class)
    return [o for group in groups for subpolicy in group for o in subpolicy.operations]


def _plain(policy: Policy) -> dict[str, Any]:
    def group(subpolicies: tuple[Subpolicy, ...]) -> list[dict[str, Any]]:
        return [
            {"weight": s.weight, "operations": [list(_fields(o)) for o in s.operations]}
            for s in subpolicies
        ]

    plain: dict[str, Any] = {
        "subpolicies": group(policy.subpolicies),
        "by_class": [group(g) for g in policy.by_class],
    }
    # The default is left out: it would change the digests, which name evaluations in old stores.
    return plain if policy.per == "sample" else {**plain, "per": policy.per}


def _fields(operation: Operation) -> tuple[str, float, Any]:
    magnitude = operation.magnitude
    plain = {"up_to": magnitude.magnitude} if isinstance(magnitude, UpTo) else magnitude
    return operation.transform, operation.probability, plain


def read_subpolicy(record: Mapping[str, Any], bank: Mapping[str, Transform]) -> Subpolicy:
    """A subpolicy from its ``operations`` and ``weight``; raises UserErrors as `from_json` does."""
    operations = []
    for name, probability, magnitude in record["operations"]:
        if name not in bank:
            raise unknown("transform", name, bank)
        if bank[name].graded != (magnitude is not None):
            needs = "needs a magnitude" if bank[name].graded else "takes no magnitude"
            raise UserError(f"transform {name!r} {needs}; the policy says {magnitude}")
        operations.append(
            Operation(name, _read_share(name, probability), _read_magnitude(name, magnitude))
        )
    if not 0.0 < record["weight"] < float("inf"):
        raise UserError(f"policy holds a weight of {record['weight']}; it has to be above 0")
    return Subpolicy(tuple(operations), record["weight"])


def _read_share(name: str, given: float) -> float:
    if not 0.0 <= given <= 1.0:
        raise UserError(f"policy holds {given} for {name!r}; it has to lie in [0, 1]")
    return given


def _read_magnitude(name: str, given: Any) -> float | UpTo | None:
    if isinstance(given, Mapping):
        return UpTo(_read_share(name, given["up_to"]))
    return None if given is None else _read_share(name, given)


def _read_per(given: Any) -> Per:
    if given == "batch":
        return "batch"
    if given != "sample":
        raise UserError(f"policy draws per {given!r}; allowed are 'sample' and 'batch'")
    return "sample"

"""Policies as JSON that explains itself, both ways."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from augbench.datasets.errors import UserError, unknown
from augbench.methods.options.search_free import Per
from augbench.methods.policies.number import finite_number, shown
from augbench.methods.policies.policy import (
    Operation,
    Policy,
    Subpolicy,
    UpTo,
    operations_of,
    plain,
)
from augbench.methods.transforms.transform import Transform

SCHEMA = 2  # 1 had neither magnitudes that are drawn nor `per`


def to_json(policy: Policy, bank: Mapping[str, Transform]) -> dict[str, Any]:
    """Plain data that explains itself: what magnitude 1 means stands beside each magnitude."""
    strongest = {name: _meaning(bank[name]) for name in sorted(policy.transforms)}
    # Schema 1 where it suffices, so that older versions can still read the policy.
    draws = any(isinstance(each.magnitude, UpTo) for each in operations_of(policy))
    schema = SCHEMA if draws or policy.per != "sample" else 1
    return {"schema": schema, **plain(policy), "transforms": strongest}


def _meaning(transform: Transform) -> dict[str, Any]:
    """What magnitude 1 is; of an augmentation of another library also what it was made of."""
    known: dict[str, Any] = {"strongest": transform.strongest, "unit": transform.unit}
    if transform.imported is None:
        return known
    return known | {"imported": transform.imported.to_plain()}


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
        for group in (policy.subpolicies, *policy.by_class):
            _check_weights(group)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"policy is not in the form that `to_json` writes: {error!r}") from error
    return policy


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
    weight = finite_number(record["weight"])
    if weight is None or weight <= 0.0:
        raise UserError(
            f"policy holds a weight of {shown(record['weight'])}; it has to be a number above 0"
        )
    return Subpolicy(tuple(operations), record["weight"])


def _check_weights(subpolicies: Sequence[Subpolicy]) -> None:
    if not isfinite(sum(float(each.weight) for each in subpolicies)):
        raise UserError(
            "the weights of a policy add up to more than a number can hold; divide them all by the "
            "largest"
        )


def _read_share(name: str, given: float) -> float:
    if not 0.0 <= given <= 1.0:
        raise UserError(f"policy holds {shown(given)} for {name!r}; it has to lie in [0, 1]")
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


def _check_range(name: str, then: Mapping[str, Any], now: Transform) -> None:
    known = _meaning(now)
    if then == known:
        return
    if {**then, "imported": None} == {**known, "imported": None}:
        if "imported" not in then:
            raise UserError(
                f"policy does not say what {name!r} is made of; here it is made of "
                f"{known['imported']}: write that beside its unit, as `imported`"
            )
        raise UserError(
            f"policy was written when {name!r} was made of {then['imported']}; here it is made of "
            f"{known.get('imported')}: use the same"
        )
    if (then["strongest"], then["unit"]) != (now.strongest, now.unit):
        raise UserError(
            f"policy was written when magnitude 1 of {name!r} meant {then['strongest']} "
            f"{then['unit']}; here it means {now.strongest} {now.unit}: rescale its magnitudes"
        )

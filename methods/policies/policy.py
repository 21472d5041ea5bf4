"""A policy as plain data; policy_json.py writes and reads it, policy_table.py applies it.

`Policy.load` and `Policy.as_module` are for users; policy_file.py and policy_transform.py, which
build on this file, do their work.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augbench.datasets.errors import UserError
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.options.search_free import Per
from augbench.methods.policies.policy_checks import check_share, tuple_of

if TYPE_CHECKING:  # both import torch, without which run directories are read, or this file
    from augbench.datasets.task import Signal
    from augbench.methods.policies.policy_transform import PolicyTransform


@dataclass(frozen=True)
class UpTo:
    """A magnitude that is drawn anew, so that the strength that acts is uniform from 0 to this.

    Where a batch shares the magnitude, a transform that draws its strength still draws it for each
    sample, up to this magnitude.
    """

    magnitude: float

    def __post_init__(self) -> None:
        check_share("magnitude", "UpTo", self.magnitude)


@dataclass(frozen=True)
class Operation:
    """A transform that is applied to a sample with a probability, at a magnitude.

    Raises a UserError for a probability or a magnitude that does not lie in [0, 1].
    """

    transform: str
    probability: float
    # In [0, 1]. None for an ungraded transform, which the probability alone controls.
    magnitude: float | UpTo | None

    def __post_init__(self) -> None:
        if not isinstance(self.transform, str):
            raise UserError(
                f"an Operation has the transform {self.transform!r}; it has to be a name, such as "
                "'time_mask'"
            )
        check_share("probability", self.transform, self.probability)
        if self.magnitude is not None and not isinstance(self.magnitude, UpTo):
            check_share("magnitude", self.transform, self.magnitude)


@dataclass(frozen=True)
class Subpolicy:
    """Operations applied one after the other, and how often this sequence is drawn.

    A list of operations becomes a tuple. Raises a UserError for what is no operation, and for a
    weight that is not above 0 and finite.
    """

    operations: tuple[Operation, ...]
    weight: float = 1.0

    def __post_init__(self) -> None:
        form = "a tuple of operations: Subpolicy((Operation(...),))"
        operations = tuple_of(Operation, self.operations, "Subpolicy", form)
        object.__setattr__(self, "operations", operations)
        if not isinstance(self.weight, Real) or not 0 < self.weight < inf:
            raise UserError(
                f"a Subpolicy has a weight of {self.weight!r}; it has to be a number "
                "above 0, and finite"
            )


NOTHING = Subpolicy(())


@dataclass(frozen=True)
class Policy:
    """Weighted subpolicies, of which each sample draws one; no subpolicies is no augmentation.

    ``by_class`` holds one tuple of subpolicies per class for class-wise policies (CADDA); it needs
    labels and so is used in training only, and ``subpolicies`` is then empty. With ``per`` "batch"
    all samples of a batch (of a class, in a class-wise policy) share what the policy draws. Lists
    become tuples.

    Raises a UserError for what is no subpolicy.
    """

    subpolicies: tuple[Subpolicy, ...] = ()
    by_class: tuple[tuple[Subpolicy, ...], ...] = ()
    per: Per = "sample"
    # What magnitude 1 of a transform means, in its unit, where a file said so; the tables of
    # transforms have the others. `digest` does not cover it.
    ranges: Mapping[str, float] = field(default_factory=dict, compare=False)
    # What the magnitude drives in transforms of kornia and braindecode, by name, where it is not
    # the usual. `digest` does not cover it either.
    imported: Mapping[str, ImportedOptions] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        form = "a tuple of subpolicies: Policy((Subpolicy(...),))"
        subpolicies = tuple_of(Subpolicy, self.subpolicies, "Policy", form)
        object.__setattr__(self, "subpolicies", subpolicies)
        form = "a tuple of subpolicies for each class, in a tuple: Policy(by_class=((...), (...)))"
        groups = tuple_of((tuple, list), self.by_class, "Policy", form)
        by_class = tuple(tuple_of(Subpolicy, group, "by_class", form) for group in groups)
        object.__setattr__(self, "by_class", by_class)

    @staticmethod
    def load(
        path: Path | str,
        *,
        task: str | None = None,
        method: str | None = None,
        fold: int | None = None,
        seed: int | None = None,
    ) -> "Policy":
        """A policy from its file, or the best one of a run directory by validation.

        In a run directory ``task``, ``method`` (labels of its suite), ``fold`` and ``seed`` say
        which trial is meant; what leaves no choice need not be given.

        Raises a UserError for a file that holds no policy, a transform that is not known, a number
        out of range, a trial that is not there or not finished, or a choice that is left open.
        """
        from augbench.methods.policies.policy_file import load_policy

        return load_policy(path, task=task, method=method, fold=fold, seed=seed)

    def as_module(self, signal: "Signal") -> "PolicyTransform":
        """The policy as an ``nn.Module`` for batches and single examples of a signal.

        EEG is standardised, where the policy was learned on standardised EEG:
        ``x = (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)``.

        Raises a UserError for transforms that the signal does not allow.
        """
        from augbench.methods.policies.policy_transform import PolicyTransform

        return PolicyTransform(self, signal)

    @property
    def digest(self) -> str:
        """A hash of the content, the same in every process."""
        return _digest(plain(self))

    @property
    def transforms(self) -> set[str]:
        """The names of the transforms in use."""
        return {operation.transform for operation in operations_of(self)}


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


def operations_of(policy: Policy) -> list[Operation]:
    """All operations, of all classes."""
    groups = (policy.subpolicies, *policy.by_class)
    return [o for group in groups for subpolicy in group for o in subpolicy.operations]


def plain(policy: Policy) -> dict[str, Any]:
    """Its content as lists and tables; `digest` is the hash of this."""

    def group(subpolicies: tuple[Subpolicy, ...]) -> list[dict[str, Any]]:
        return [
            {"weight": s.weight, "operations": [list(_fields(o)) for o in s.operations]}
            for s in subpolicies
        ]

    content: dict[str, Any] = {
        "subpolicies": group(policy.subpolicies),
        "by_class": [group(g) for g in policy.by_class],
    }
    # The default is left out: it would change the digests, which name evaluations in old stores.
    return content if policy.per == "sample" else {**content, "per": policy.per}


def _fields(operation: Operation) -> tuple[str, float, Any]:
    magnitude = operation.magnitude
    plain = {"up_to": magnitude.magnitude} if isinstance(magnitude, UpTo) else magnitude
    return operation.transform, operation.probability, plain


def digest_in(record: Mapping[str, Any]) -> str:
    """The digest of the policy in a record of `to_json`; a KeyError if it holds no policy."""
    content = {key: record[key] for key in ("subpolicies", "by_class")}
    return _digest(content | {key: record[key] for key in ("per",) if key in record})


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]

"""A unit of work (a trial, a retraining, a sampling) as plain data; its hash is its name."""

import hashlib
import json
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, NamedTuple

# Rises when the code changes what a spec means: then old results are not taken for new ones.
# 2: validation that steers a method is charged, so a budget of device hours ends earlier.
# 3: long windows are scored fewer at a time, and methods that augment in the test draw other noise.
SEMANTICS = 3


Kind = Literal["trials", "evaluations", "samplings"]


class UnitId(NamedTuple):
    """A unit of work in a run directory."""

    kind: Kind
    digest: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.digest}"


@dataclass(frozen=True)
class Budget:
    """Where a trial ends if its method has not ended before; None: no limit."""

    steps: int | None = None  # of the method
    device_hours: float | None = None  # charged: pretraining, search, validation that steers them

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}; it has to be above 0, or left out")


@dataclass(frozen=True)
class TaskSpec:
    """A task with its options, and the changes that a suite makes to it."""

    task: str
    options: dict[str, Any]
    data_seed: int = 0  # for what a task draws itself
    trunk: str | None = None  # None: the task's own
    training: dict[str, Any] = field(default_factory=dict)  # changes to the task's own settings
    transforms: tuple[str, ...] | None = None  # None: the task's own
    ranges: dict[str, float] = field(default_factory=dict)  # changes to what magnitude 1 means
    # Of kornia and braindecode, by name, as `ImportedOptions.to_plain` writes it.
    imported: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Its fields; without an empty ``imported``, so that other units keep their names."""
        return {key: value for key, value in vars(self).items() if key != "imported" or value}


@dataclass(frozen=True)
class TrialSpec:
    """A method on a fold of a task. It has no label, order, host, path or resource."""

    task: TaskSpec
    method: str
    options: dict[str, Any]
    fold: int
    seed: int
    budget: Budget

    @cached_property
    def unit(self) -> UnitId:
        return UnitId("trials", _digest(self))

    def to_json(self) -> dict[str, Any]:
        return {"semantics": SEMANTICS, **asdict(self), "task": deepcopy(self.task.to_json())}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "TrialSpec":
        named = {key: value for key, value in record.items() if key != "semantics"}
        return TrialSpec(
            **named | {"task": _task(record["task"]), "budget": Budget(**record["budget"])}
        )


@dataclass(frozen=True)
class EvaluationSpec:
    """A retraining from scratch under a policy; trials with the same policy share it."""

    task: TaskSpec
    policy: dict[str, Any]  # as `to_json` of methods/policies/policy_json.py writes it
    fold: int
    seed: int

    @cached_property
    def unit(self) -> UnitId:
        return UnitId("evaluations", _digest(self))

    def to_json(self) -> dict[str, Any]:
        return {"semantics": SEMANTICS, **asdict(self), "task": deepcopy(self.task.to_json())}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "EvaluationSpec":
        named = {key: value for key, value in record.items() if key != "semantics"}
        return EvaluationSpec(**named | {"task": _task(record["task"])})


@dataclass(frozen=True)
class SamplingSpec:
    """A sampling of a trial whose method makes several at once, done by itself."""

    trial: dict[str, Any]  # as `TrialSpec.to_json` writes it
    proposal: dict[str, Any]  # as `Proposal.to_json` of methods/training/sampling.py writes it

    @cached_property
    def unit(self) -> UnitId:
        return UnitId("samplings", _digest(self))

    def to_json(self) -> dict[str, Any]:
        return {"semantics": SEMANTICS, **asdict(self)}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "SamplingSpec":
        return SamplingSpec(record["trial"], record["proposal"])


# What a driver hands out.
Spec = TrialSpec | EvaluationSpec | SamplingSpec


def _task(record: dict[str, Any]) -> TaskSpec:
    transforms = record["transforms"]
    return TaskSpec(**record | {"transforms": None if transforms is None else tuple(transforms)})


def _digest(spec: "Spec") -> str:
    # The same as `asdict` in a fifth of the time: a plan can have 100,000 trials.
    record = {each.name: getattr(spec, each.name) for each in fields(spec)}
    return record_digest({"semantics": SEMANTICS, **record})


def record_digest(record: dict[str, Any]) -> str:
    """A hash of plain data. The hash of what `to_json` writes is the unit's name."""
    text = json.dumps(record, sort_keys=True, default=_fields)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fields(part: object) -> dict[str, Any]:
    return part.to_json() if isinstance(part, TaskSpec) else vars(part)

"""What searches found: how often and how strongly each transform of a policy acts."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.best_policies import read_best_policies
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import identity_columns

OPERATION_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "transform": "str",
    "applied": "float64",  # times that it is applied to a sample, on average
    "magnitude": "float64",  # mean over these, from 0 to 1; empty where it has none
    "value": "float64",  # the same in `unit`
    "unit": "str",
    "strength": "float64",  # applied x magnitude, with a magnitude of 1 where it has none
}
SUBPOLICY_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "rank": "int64",  # 1 is the strongest
    "share": "float64",  # of the samples that get it
    "strength": "float64",  # as above, of all its operations, of a sample that gets it or not
    "words": "str",
}
N_STRONGEST = 5

Found = Sequence[tuple[PlannedTrial, Mapping[str, Any]]]  # trials, and records of their policies


def best_policies(run: Path) -> Found:
    """The best policy by validation of each finished trial that ends in policies.

    UserError: the path is no run directory, or has another version's layout.
    """
    directory, suite = open_run(run)
    return list(read_best_policies(directory, suite.plan))


def operation_table(found: Found) -> pd.DataFrame:
    """One row per trial and transform of its policy: ``OPERATION_TABLE``.

    A share of all operations misleads where most act at magnitudes near 0: look at ``strength``.
    Where a magnitude is drawn up to a limit, its mean counts, half of the limit. Class-wise
    policies count with classes that weigh equally.
    """
    rows = [row for planned, record in found for row in _operation_rows(planned, record)]
    return pd.DataFrame(rows, columns=list(OPERATION_TABLE)).astype(OPERATION_TABLE)


def subpolicy_table(found: Found, n: int = N_STRONGEST) -> pd.DataFrame:
    """The ``n`` strongest subpolicies of each trial, in words: ``SUBPOLICY_TABLE``."""
    rows = [row for planned, record in found for row in _subpolicy_rows(planned, record, n)]
    return pd.DataFrame(rows, columns=list(SUBPOLICY_TABLE)).astype(SUBPOLICY_TABLE)


class _Step(NamedTuple):
    """An operation of a subpolicy."""

    transform: str
    probability: float
    magnitude: float | None  # the mean, where it is drawn

    @property
    def strength(self) -> float:
        return self.probability * (1.0 if self.magnitude is None else self.magnitude)


class _Sequence(NamedTuple):
    """A subpolicy, and the share of the samples that get it."""

    share: float
    steps: tuple[_Step, ...]
    place: str  # of which class it is, in a class-wise policy

    @property
    def strength(self) -> float:
        return self.share * sum(step.strength for step in self.steps)


def _sequences(record: Mapping[str, Any]) -> Iterator[_Sequence]:
    groups = record["by_class"] or [record["subpolicies"]]
    for number, group in enumerate(groups):
        total = sum(each["weight"] for each in group)
        for each in group:
            steps = tuple(_step(*operation) for operation in each["operations"])
            place = f"class {number}: " if record["by_class"] else ""
            yield _Sequence(each["weight"] / total / len(groups), steps, place)


def _step(transform: str, probability: float, magnitude: Any) -> _Step:
    if isinstance(magnitude, Mapping):
        magnitude = magnitude["up_to"] / 2
    return _Step(transform, probability, magnitude)


def _operation_rows(planned: PlannedTrial, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    applied: dict[str, float] = defaultdict(float)
    strength: dict[str, float] = defaultdict(float)
    graded: dict[str, bool] = {}
    for sequence in _sequences(record):
        for step in sequence.steps:
            applied[step.transform] += sequence.share * step.probability
            strength[step.transform] += sequence.share * step.strength
            graded[step.transform] = step.magnitude is not None
    for name in sorted(applied):
        meaning = record["transforms"][name]
        has_mean = graded[name] and applied[name] > 0
        magnitude = strength[name] / applied[name] if has_mean else nan
        yield identity_columns(planned) | {
            "transform": name,
            "applied": applied[name],
            "magnitude": magnitude,
            "value": magnitude * meaning["strongest"],
            "unit": meaning["unit"] if graded[name] else "",
            "strength": strength[name],
        }


def _subpolicy_rows(
    planned: PlannedTrial, record: Mapping[str, Any], n: int
) -> Iterator[dict[str, Any]]:
    strongest = sorted(_sequences(record), key=lambda each: -each.strength)  # stable
    for rank, sequence in enumerate(strongest[:n], 1):
        yield identity_columns(planned) | {
            "rank": rank,
            "share": sequence.share,
            "strength": sequence.strength,
            "words": _words(sequence, record["transforms"]),
        }


def _words(sequence: _Sequence, meanings: Mapping[str, Any]) -> str:
    steps = [_step_words(step, meanings[step.transform]) for step in sequence.steps]
    return f"{sequence.place}{', then '.join(steps) or 'nothing'}"


def _step_words(step: _Step, meaning: Mapping[str, Any]) -> str:
    how_often = f"{step.transform} in {step.probability:.0%}"
    if step.magnitude is None:
        return how_often
    return f"{how_often} at {step.magnitude * meaning['strongest']:.3g} {meaning['unit']}"

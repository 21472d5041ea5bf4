"""In which options two trials differ."""

from collections.abc import Iterator, Mapping
from typing import Any

from augbench.bench.plan.spec import TrialSpec

ABSENT = "the default"  # what an option is that a spec does not name
# How a path in a spec is called, as a suite says it.
_NAMES = {
    ("task", "task"): ("task",),
    ("task", "options"): ("task",),
    ("task", "training"): ("training",),
    ("task", "ranges"): ("ranges",),
    ("task", "imported"): ("imported",),
    ("method",): ("method",),
    ("options",): ("method",),
}


def differences(one: TrialSpec, other: TrialSpec) -> dict[str, tuple[object, object]]:
    """By dotted name the options that differ, and both values; fold and seed are not looked at.

    ``task.KEY`` is of the task, ``method.KEY`` of the method; others are ``training.KEY``,
    ``ranges.KEY`` and ``budget.KEY``.
    """
    left, right = dict(_options(one.to_json())), dict(_options(other.to_json()))
    return {
        name: (left.get(name, ABSENT), right.get(name, ABSENT))
        for name in [*left, *(name for name in right if name not in left)]
        if left.get(name, ABSENT) != right.get(name, ABSENT)
    }


def difference_text(found: Mapping[str, tuple[object, object]], one: str, other: str) -> str:
    """The options that differ in one line: ``method.penalty is 0.5 in A and 1.0 in B``."""
    return "; ".join(
        f"{name} is {left} in {one} and {right} in {other}" for name, (left, right) in found.items()
    )


def _options(record: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for path, value in _leaves(record, ()):
        if path[0] not in ("semantics", "fold", "seed") and value is not None:
            prefix = next((p for p in _NAMES if path[: len(p)] == p), ())
            yield ".".join((*_NAMES.get(prefix, ()), *path[len(prefix) :])), value


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    else:
        yield path, list(value) if isinstance(value, tuple) else value

"""What a method does with what it is given: the views, the meter, and no test split."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch

from augbench.datasets.options.row import resolve
from augbench.datasets.task import Fold
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.method_case import Case
from augbench.methods.conformance.method_walk import (
    Walk,
    follow,
)
from augbench.methods.conformance.planted import planted_fold
from augbench.methods.conformance.shown import first_difference

OPENED = {"pretrain", "validate", "evaluate"}  # the harness opens the others


def costs_are_told(case: Case) -> str:
    """The meter is told the samples that the trunks saw, in a phase."""
    meter = case.walk.meter
    for what in ("forward", "backward"):
        if meter.seen["outside", what] or meter.told["outside", what]:
            raise BrokenError(
                f"samples go {what} outside of the steps, where no phase is open: "
                "build() and artifact() may train and score nothing"
            )
        for phase in sorted({phase for phase, _ in (*meter.seen, *meter.told)}):
            told, seen = meter.told[phase, what], meter.seen[phase, what]
            if told != seen:
                raise BrokenError(
                    f"in phase {phase!r} it tells {told} samples {what}, and hooks on its trunks "
                    f"saw {seen}: call setup.meter.count(forward=..., backward=...) for each batch"
                )
    if set(meter.opened) - OPENED - {"search"}:
        wrong = sorted(set(meter.opened) - OPENED - {"search"})
        raise BrokenError(
            f"it opens the phase {wrong[0]!r}; a method opens {', '.join(sorted(OPENED))}, and "
            "what is in none of them is its search"
        )
    if meter.phases != ["outside"]:
        raise BrokenError(
            "a phase that it opens stays open after a step: use `with setup.meter.phase(...):`"
        )
    n = sum(n for (_, what), n in meter.seen.items() if what == "forward")
    return f"{n} samples went forward through its trunks, and it told of as many"


def test_split_is_unknown(case: Case) -> str:
    """Nothing that it shows depends on the test split."""
    n, expected = case.n_steps, case.moments[-1].seen
    case.walk.fold = planted_fold(case.subject.kind, 4)  # else two test splits would lie in memory
    gc.collect()
    with _folds_noted() as made:
        walk = case.subject.start(test=4)
        made.clear()  # the one of the check itself
        where = first_difference(expected, follow(walk, n))
        fresh = len(made)
        made.clear()
        _rebuild(case, walk)
    if where is not None:
        raise BrokenError(
            f"what it shows depends on the test split, first in {where!r}: it may use setup.views "
            "alone, which has none"
        )
    if fresh or made:
        raise BrokenError(
            "it takes a fold of a task for itself, the test split with it: "
            "it may use setup.views alone"
        )
    return "what it shows is the same beside another test split"


def _rebuild(case: Case, walk: Walk) -> None:
    """Build the method once more from the same setup."""
    resolve(case.subject.row.build)(walk.setup, case.subject.options)


@contextmanager
def _folds_noted() -> Iterator[list[str]]:
    """Note each fold that is made inside the block: a method has no need of any."""
    made: list[str] = []
    new = Fold.__new__

    def noted(cls: type[Fold], *parts: Any, **named: Any) -> Fold:
        made.append("a fold")
        return new(cls, *parts, **named)

    with mock.patch.object(Fold, "__new__", noted):
        yield made


def inputs_are_left(case: Case) -> str:
    """Examples, labels and initial weights are as they were."""
    walk = case.walk
    before = planted_fold(case.subject.kind).views
    for name, view, given in zip(before._fields, before, walk.setup.views, strict=True):
        for what, old, new in zip(("x", "y"), view, given, strict=True):
            if not torch.equal(old, new):
                raise BrokenError(
                    f"it changes {what} of setup.views.{name} in place: clone() what you change"
                )
    return "examples and labels are as they were"

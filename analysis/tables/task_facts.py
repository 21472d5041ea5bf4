"""What a run knows of its tasks: margins between classes, chance, how large the test split is."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from statistics import fmean
from typing import Any

import numpy as np

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.files import DamagedError
from augbench.bench.store.predictions import read_predictions
from augbench.bench.store.run_directory import RunDirectory
from augbench.datasets import known_tasks
from augbench.datasets.options.row import Margin


def known_margins(plan: Sequence[PlannedTrial]) -> dict[str, Margin]:
    """By the label of a task the margin between its classes, where it is known.

    The task may be no longer installed.
    """
    rows = known_tasks()
    found = {}
    for label, spec in {planned.task: planned.spec.task for planned in plan}.items():
        row = rows.get(spec.task)
        if row is not None and row.margin is not None:
            found[label] = row.margin(row.options(**spec.options))
    return found


def chance_levels(run: RunDirectory, plan: Sequence[PlannedTrial]) -> dict[str, float]:
    """By task the metric of a model that says the same of all examples, mean over folds.

    Of the first finished trial of each fold, if its predictions are kept.
    """
    firsts = {(each.task, each.spec.fold): (each, result) for each, result in _ended(run, plan)}
    found: dict[str, list[float]] = {}
    for planned, kept in read_predictions(run, [each for each, _ in firsts.values()]):
        counts = np.unique(kept.y, return_counts=True)[1]
        balanced = firsts[planned.task, planned.spec.fold][1]["metric"] == "balanced_accuracy"
        share = 1 / len(counts) if balanced else counts.max() / counts.sum()
        found.setdefault(planned.task, []).append(float(share))
    return {task: fmean(shares) for task, shares in found.items()}


def split_ratios(run: RunDirectory, plan: Sequence[PlannedTrial]) -> dict[str, float]:
    """By task the number of test examples over that of all others, in its first finished trial."""
    found: dict[str, float] = {}
    for planned, result in _ended(run, plan):
        counts = result.get("n_examples")
        if planned.task not in found and counts and counts["seen"] and counts["test"]:
            found[planned.task] = counts["test"] / counts["seen"]
    return found


def _ended(
    run: RunDirectory, plan: Sequence[PlannedTrial]
) -> Iterator[tuple[PlannedTrial, dict[str, Any]]]:
    """The first finished trial of each fold of each task, and its result."""
    found = set()
    for planned in plan:
        fold = planned.task, planned.spec.fold
        if fold not in found:
            with suppress(DamagedError):
                result = run.unit(planned.spec.unit).result()
                if result is not None:
                    found.add(fold)
                    yield planned, result

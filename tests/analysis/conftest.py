"""Hand-made runs: `trial(...)` makes the rows of one, `gather(...)` the results of several."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from augbench.analysis.tables.frame import Results, results
from augbench.analysis.tables.learned import LEARNED_TABLE

Learn = Callable[..., pd.DataFrame]
Rows = tuple[dict[str, object], list[dict[str, object]]]  # of trials, of points


def both(paper: float, full: float) -> list[tuple[str, float]]:
    """The two readings of a number."""
    return [("paper", paper), ("full", full)]


def one_trial(
    method: str,
    fold: int,
    points: list[tuple[float, float, float, float]],  # valid, test, hours paper, hours full
    *,
    task: str = "toy",
    seed: int = 0,
    state: str = "done",
    known: int | None = None,
    reason: str = "",
    device: str = "cpu",
    shared: bool = False,
) -> Rows:
    """A trial whose samples are 1000 (forward) and 500 (backward) times its hours."""
    keys = {"task": task, "method": method, "fold": fold, "seed": seed}
    keys["trial"] = f"{task}-{method}-{fold}-{seed}"
    rows = [
        keys
        | {"point": number, "step": number, "kind": "policy", "metric": "balanced_accuracy"}
        | {"valid": valid, "test": test, "hours_paper": paper, "hours_full": full}
        | {"forward_paper": int(1000 * paper), "forward_full": int(1000 * full)}
        | {"backward_paper": int(500 * paper), "backward_full": int(500 * full)}
        | {f"hours_{name}_without_validation": 0.9 * hours for name, hours in both(paper, full)}
        | {f"forward_{name}_without_validation": int(900 * h) for name, h in both(paper, full)}
        | {"hours_wall": 1.25 * full}
        | {"device": device, "shared": shared, "busy": 1.0}
        for number, (valid, test, paper, full) in enumerate(points, start=1)
    ]
    counts = {"points_scored": len(points), "points_known": len(points) if known is None else known}
    return keys | counts | {"state": state, "wasted_seconds": 0.0, "reason": reason}, rows


def all_trials(*trials: Rows) -> Results:
    return results([row for _, rows in trials for row in rows], [row for row, _ in trials], "toys")


def many(methods: int, folds: int, tasks: int = 1, state: str = "done") -> Results:
    """Search methods with 4 sparse points, end-to-end ones with 12 close points, in turn."""
    trials = []
    for task in range(tasks):
        for options in range(methods):
            for fold in range(folds):
                n_points, apart, retraining = ((4, 1.0, 0.5), (12, 0.05, 0.0))[options % 2]
                points = []
                for k in range(1, n_points + 1):
                    valid = 0.8 - 0.3 / k + 0.01 * fold
                    search = apart * k * (1 + 0.1 * fold)
                    hours = (search + retraining, search + retraining * k)
                    points.append((valid, valid - 0.05 + 0.005 * options, *hours))
                name = f"method_{options}"
                trials.append(one_trial(name, fold, points, task=f"task_{task}", state=state))
    return all_trials(*trials)


def over(scores: Mapping[str, object], chance: float | None = None) -> Results:
    """A run by method: test metrics (tasks, folds), or (tasks,) of one fold; NaN failed.

    Each trial has one point, after an hour, with its test metric in validation too.
    """
    trials = []
    for method, values in scores.items():
        table = np.asarray(values, dtype=np.float64)
        for task, folds in enumerate(table.reshape(len(table), -1)):
            for fold, test in enumerate(folds):
                points = [] if np.isnan(test) else [(test, test, 1.0, 1.0)]
                state = "done" if points else "failed"
                trials.append(one_trial(method, fold, points, task=f"task_{task}", state=state))
    run = all_trials(*trials)
    levels = {} if chance is None else dict.fromkeys(run.trials["task"].unique(), chance)
    return replace(run, chance=levels)


@pytest.fixture
def over_tasks() -> Callable[..., Results]:
    return over


@pytest.fixture
def trial() -> Callable[..., Rows]:
    return one_trial


@pytest.fixture
def gather() -> Callable[..., Results]:
    return all_trials


@pytest.fixture
def grid() -> Callable[..., Results]:
    return many


def learned(
    method: str,
    final: Mapping[str, tuple[float, float, float]],  # by transform: weight, magnitude, value
    *,
    fold: int = 0,
    loss: float = 0.5,
    steps: int = 4,
    task: str = "toy",
) -> pd.DataFrame:
    """A trial whose operations come to their final values along a straight line."""
    rows = [
        (task, method, fold, 0, step, 1, name, weight, *(x * step / steps for x in sizes), "", loss)
        for step in range(1, steps + 1)
        for name, (weight, *sizes) in final.items()
    ]
    return pd.DataFrame(rows, columns=list(LEARNED_TABLE))


@pytest.fixture
def learn() -> Learn:
    return learned

"""The table: how good each method is at its best validation, its costs, and its gain."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from augbench.analysis.tables.curves import (
    RUN_KEYS,
    best_so_far,
    busy_shares,
    contended_trials,
    shared_trials,
)
from augbench.analysis.tables.frame import COSTS, Results, finished
from augbench.analysis.tables.panels import own_devices, readable_unit
from augbench.analysis.text import markdown
from augbench.datasets.errors import UserError

GAINS_OVER = ("none", "random_policy")  # methods over which a gain is measured, if planned
SCORE_COLUMNS = (
    *("task", "method", "test", "test_q1", "test_q3", "valid"),
    *(f"{what}_{reference}" for reference in GAINS_OVER for what in ("gain", "pairs")),
    *COSTS,
    "hours_search",
    *("scored", "done", "planned", "timed", "busy", "contended", "own_device"),
)

HEADER = (
    "task",
    "method",
    "test [quartiles]",
    "valid",
    "gain over none",
    "gain over random_policy",
    "device time, paper / full",
    "samples forward, paper / full",
    "samples backward, paper / full",
    "trials done",
)
SEARCHED = "search for options"  # a column more, before the last, if a search chose any options


def final_scores(points: pd.DataFrame) -> pd.DataFrame:
    """The last values of every trial: one row per trial that has a point.

    Columns ``RUN_KEYS``, ``best``, ``valid`` and ``test`` (of the best point by validation, ties to
    the older), and ``COSTS``: all that the trial cost, which is the right end of its curve on each
    axis.
    """
    runs = best_so_far(points, "hours_full").groupby("trial").tail(1)
    costs = points.groupby("trial")[list(COSTS)].max().reset_index()
    return runs[[*RUN_KEYS, "best", "valid", "test"]].merge(costs, on="trial")


def score_table(results: Results, *, include_shared: bool = False) -> pd.DataFrame:
    """One row per task and planned method, in the order of their names.

    Columns: ``task``, ``method``; medians over the trials that have a point of ``test`` (with
    ``test_q1`` and ``test_q3``), ``valid`` and ``COSTS``, empty where no trial has one;
    ``gain_none`` and ``gain_random_policy``, medians of the differences in ``test`` between trials
    of equal fold and seed, with their numbers ``pairs_...``, over the first label of that method;
    ``hours_search``, the device hours of the search that chose the method's options, empty where
    the suite names none; ``scored``, ``done`` and ``planned`` trials; ``timed``, the trials behind
    the hours, without those that shared a GPU unless ``include_shared``; ``busy``, the median share
    of the time in which a trial had a processor, ``contended``, the number of timed trials that had
    it for too little of their time, and ``own_device``, that of the hours, where the task has
    several. Metrics are in [0, 1] (accuracy or balanced accuracy), ``hours_...`` device hours, the
    other costs numbers of samples.

    UserError: ``results`` is not what `read_results` returns.
    """
    if not isinstance(results, Results):
        raise UserError(
            f"score_table was given {results!r}; it takes what read_results(run) returns"
        )
    finals = final_scores(results.points)
    spoilt = [] if include_shared else shared_trials(results, "hours_full")
    alone = ~finals["trial"].isin(spoilt)
    slowed = alone & finals["trial"].isin(contended_trials(results, "hours_full"))
    busy = finals["trial"].map(busy_shares(results.points)).astype("float64")
    hours = [name for name in COSTS if name.startswith("hours")]
    finals = finals.assign(timed=alone, busy=busy, contended=slowed)
    finals[hours] = finals[hours].where(alone)
    planned = results.trials.assign(done=finished(results.trials))
    rows = []
    for (task, method), trials in planned.groupby(["task", "method"]):
        on_task = finals[finals["task"] == task]
        own = on_task[on_task["method"] == method]
        labels = results.trials.loc[results.trials["task"] == task, "method"]
        devices = own_devices(results.points[results.points["task"] == task])
        row = {
            "task": task,
            "method": method,
            "test": own["test"].median(),
            "test_q1": own["test"].quantile(0.25),
            "test_q3": own["test"].quantile(0.75),
            "valid": own["valid"].median(),
        }
        for reference in GAINS_OVER:
            label = next(iter(reference_labels(results, labels, reference)), "")
            gains = _gains(own, on_task[on_task["method"] == label])
            row[f"gain_{reference}"] = gains.median()
            row[f"pairs_{reference}"] = len(gains)
        row |= {name: own[name].median() for name in COSTS}
        row |= {"hours_search": results.search_hours.get(str(method), np.nan)}
        row |= {"scored": len(own), "done": int(trials["done"].sum()), "planned": len(trials)}
        row |= {"timed": int(own["timed"].sum()), "busy": own["busy"].median()}
        row |= {"contended": int(own["contended"].sum())}
        rows.append(row | {"own_device": devices.get(str(method), "")})
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def reference_labels(results: Results, labels: Iterable[str], method: str) -> list[str]:
    """Those of the labels that stand for this method; a label of the same name is the first."""
    found = {label for label in labels if results.methods.get(label, label) == method}
    return sorted(found, key=lambda label: (label != method, label))


def _gains(own: pd.DataFrame, reference: pd.DataFrame) -> "pd.Series[float]":
    """Differences in test metric by (fold, seed): (pairs,); a method has none over itself."""
    if own["method"].isin(reference["method"]).any():
        reference = reference.iloc[:0]
    pairs = own.merge(reference, on=["fold", "seed"], suffixes=("", "_reference"))
    return pairs["test"] - pairs["test_reference"]


def score_rows(scores: pd.DataFrame) -> list[list[str]]:
    """A ``score_table`` as text, for a terminal or Markdown: the header, then one list per row.

    Device times of a task have one unit, the device where there are several, and a star where a
    trial had to wait for its processor. An unknown value is "-".
    """
    header = [*HEADER[:-1], SEARCHED, HEADER[-1]]
    rows = [header]
    for _, of_task in scores.groupby("task"):
        unit, factor = readable_unit("hours_full", float(of_task["hours_full"].max()))
        rows += [_cells(row, unit, factor) for _, row in of_task.iterrows()]
    if scores["hours_search"].isna().all():
        column = header.index(SEARCHED)
        return [[*cells[:column], *cells[column + 1 :]] for cells in rows]
    return rows


def _cells(row: "pd.Series[Any]", unit: str, factor: float) -> list[str]:
    def cell(write: Callable[..., str], *names: str) -> str:
        values = [float(row[name]) for name in names]
        return "-" if np.isnan(values).any() else write(*values)

    def time(paper: float, full: float) -> str:
        star = " *" if row["contended"] else ""
        where = f" on {row['own_device']}" if row["own_device"] else ""
        return f"{_short(paper * factor)} / {_short(full * factor)} {unit}{where}{star}"

    def counts(paper: float, full: float) -> str:
        return f"{_count(paper)} / {_count(full)}"

    one = row["scored"] == 1  # has no quartiles
    return [
        str(row["task"]),
        str(row["method"]),
        cell("{:.3f}".format, "test")
        if one
        else cell("{:.3f} [{:.3f}, {:.3f}]".format, "test", "test_q1", "test_q3"),
        cell("{:.3f}".format, "valid"),
        cell("{:+.3f}".format, "gain_none"),
        cell("{:+.3f}".format, "gain_random_policy"),
        cell(time, "hours_paper", "hours_full"),
        cell(counts, "forward_paper", "forward_full"),
        cell(counts, "backward_paper", "backward_full"),
        cell(lambda hours: f"{_short(hours * factor)} {unit}", "hours_search"),
        f"{row['done']} of {row['planned']}",
    ]


def _count(samples: float) -> str:
    for suffix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if samples >= size:
            return f"{_short(samples / size)}{suffix}"
    return f"{samples:.0f}"


def _short(value: float) -> str:
    """Three digits."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def score_markdown(scores: pd.DataFrame) -> str:
    """A ``score_table`` as a Markdown table, numbers to the right."""
    header, *rows = score_rows(scores)
    safe = [[markdown(task), markdown(method), *cells] for task, method, *cells in rows]
    rule = ["---", "---", *["---:"] * (len(header) - 2)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rule, *safe))

"""The table behind a figure of curves: exactly what is drawn, units and counts included."""

import numpy as np
import pandas as pd

from augbench.analysis.curves import CURVE_COLUMNS, curves, shared_trials
from augbench.analysis.frame import Results, finished
from augbench.datasets.errors import unknown

HOUR_AXES = ("hours_paper", "hours_full")
EPOCH_AXES = ("step",)
SAMPLE_AXES = ("forward_paper", "forward_full", "backward_paper", "backward_full")

# unit, the least value in hours or samples that it is used for, factor to it
_TIME_UNITS = (("hours", 2.0, 1.0), ("minutes", 3 / 60, 60.0), ("seconds", 0.0, 3600.0))
_SAMPLE_UNITS = (
    ("billion samples", 2e9, 1e-9),
    ("million samples", 2e6, 1e-6),
    ("thousand samples", 2e3, 1e-3),
    ("samples", 0.0, 1.0),
)


def panel_table(
    results: Results, task: str, axes: tuple[str, ...], *, include_shared: bool = False
) -> pd.DataFrame:
    """The curves of one task along several axes, as they are drawn side by side.

    Returns, per axis and method, the event times of the method's curve, or one row with an empty x
    where it has no point yet. Columns: ``task``, ``metric`` and ``device`` ("" before the first
    point), ``axis``, ``unit`` (of x, the same for all axes here), ``method``, ``style`` (place of
    the method in the order of names over the whole suite, so that all figures of a run agree),
    ``CURVE_COLUMNS``, ``done`` and ``planned`` (trials of the method), ``left_out`` (trials that
    shared their GPU).
    UserError: an unknown task or axis.
    """
    tasks = results.trials["task"].unique()
    if task not in tasks:
        raise unknown("task", task, tasks)
    methods = _method_counts(results, task)
    parts = []
    for axis in axes:
        drawn = curves(results, axis, include_shared=include_shared)
        drawn = drawn[drawn["task"] == task].drop(columns="task")
        shared = [] if include_shared else shared_trials(results, axis)
        left_out = _count(results.trials["trial"].isin(shared), results, task)
        panel = methods.merge(left_out.rename("left_out"), on="method")
        parts.append(panel.merge(drawn, on="method", how="left").assign(axis=axis))
    table = pd.concat(parts, ignore_index=True)
    table["n"] = table["n"].fillna(0).astype("int64")
    table["marker"] = table["marker"].eq(True)
    unit, factor = readable_unit(axes[0], float(table["x"].max()))
    points = results.points[results.points["task"] == task]
    table = table.assign(
        x=table["x"] * factor,
        task=task,
        metric=" and ".join(points["metric"].unique()),
        device=" and ".join(sorted(points["device"].unique())),
        unit=unit,
    )
    first = ["task", "metric", "device", "axis", "unit", "method", "style"]
    return table[[*first, *CURVE_COLUMNS, "done", "planned", "left_out"]]


def _method_counts(results: Results, task: str) -> pd.DataFrame:
    """``method``, ``style``, ``done``, ``planned`` of the methods planned on a task, by name."""
    order = {name: place for place, name in enumerate(sorted(results.trials["method"].unique()))}
    counts = pd.DataFrame(
        {
            "done": _count(finished(results.trials), results, task),
            "planned": _count(results.trials["trial"].notna(), results, task),
        }
    ).reset_index()
    return counts.assign(style=counts["method"].map(order))


def _count(which: "pd.Series[bool]", results: Results, task: str) -> "pd.Series[int]":
    here = results.trials["task"] == task
    return which[here].astype("int64").groupby(results.trials.loc[here, "method"]).sum()


def readable_unit(axis: str, largest: float) -> tuple[str, float]:
    """The unit that makes the largest value on an axis readable, and the factor to it."""
    if axis in EPOCH_AXES:
        return "epochs", 1.0
    units = _TIME_UNITS if axis.startswith("hours") else _SAMPLE_UNITS
    for unit, least, factor in units:
        if largest >= least:
            return unit, factor
    assert np.isnan(largest), "costs are at least 0"
    return units[0][0], units[0][2]

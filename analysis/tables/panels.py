"""The table behind a figure of curves: exactly what is drawn, units and counts included."""

from dataclasses import replace

import numpy as np
import pandas as pd

from augbench.analysis.styles import METHOD_STYLES, WITHOUT_EPOCHS, method_styles
from augbench.analysis.tables.bands import BANDS, band_of
from augbench.analysis.tables.curves import (
    contended_trials,
    curve_columns,
    curves,
    shared_trials,
)
from augbench.analysis.tables.frame import Results, finished
from augbench.datasets.errors import unknown
from augbench.methods import known_methods

HOUR_AXES = ("hours_paper", "hours_full")
WALL_AXES = ("hours_wall",)
EPOCH_AXES = ("step",)
SAMPLE_AXES = ("forward_paper", "forward_full", "backward_paper", "backward_full")

# What every method has to beat: nothing, a policy drawn at random, strengths drawn at random.
REFERENCES = ("none", "random_policy", "trivialaugment")

STYLE_COLUMNS = ("style", "colour", "symbol", "fill")  # those of analysis/styles.py

# unit, the least value in hours or samples for which it is used, factor to it
_TIME_UNITS = (("hours", 2.0, 1.0), ("minutes", 3 / 60, 60.0), ("seconds", 0.0, 3600.0))
_SAMPLE_UNITS = (
    ("billion samples", 2e9, 1e-9),
    ("million samples", 2e6, 1e-6),
    ("thousand samples", 2e3, 1e-3),
    ("samples", 0.0, 1.0),
)


def panel_table(
    results: Results,
    task: str,
    axes: tuple[str, ...],
    *,
    include_shared: bool = False,
    band: str = "quartiles",
) -> pd.DataFrame:
    """The curves of one task along several axes, as they are drawn side by side.

    Returns, per axis and method, the event times of the method's curve, or one row with an empty x
    where it has no point. Columns: ``task``, ``metric`` and ``device`` ("" before the first point),
    ``axis``, ``unit`` (of x, the same for all axes here), ``method``, ``STYLE_COLUMNS`` (the same
    in all figures of a run), ``own_device`` (of the method, where the task has several devices,
    whose hours do not compare; else ""), ``on_axis`` (False where the method has no values on this
    axis by its nature: searches that have no epochs), the ``curve_columns`` of one of ``BANDS``,
    ``done`` and ``planned`` (trials of the method), ``left_out`` (trials that shared their GPU),
    ``contended`` (trials that had to wait for their processor), ``lost_seconds`` (wasted on the
    method's trials, on no axis), ``is_reference`` (the method is one of
    ``REFERENCES``), ``chance`` (the metric of a model that says the same of all examples; empty
    where it is not known).
    UserError: an unknown task, axis or band.
    """
    tasks = results.trials["task"].unique()
    if task not in tasks:
        raise unknown("task", task, tasks)
    here = _of_task(results, task)
    methods = _method_rows(results, here)
    parts = []
    for axis in axes:
        drawn = curves(here, axis, include_shared=include_shared, band=band)
        drawn = drawn.drop(columns="task")
        shared = [] if include_shared else shared_trials(here, axis)
        panel = methods.assign(
            on_axis=[axis not in EPOCH_AXES or _has_epochs(here, name) for name in methods.method],
            left_out=methods["method"].map(_count(here.trials["trial"].isin(shared), here)),
            contended=methods["method"].map(
                _count(here.trials["trial"].isin(contended_trials(here, axis)), here)
            ),
        )
        drawn = drawn[drawn["method"].isin(panel.loc[panel["on_axis"], "method"])]
        parts.append(panel.merge(drawn, on="method", how="left").assign(axis=axis))
    table = pd.concat(parts, ignore_index=True)
    table["n"] = table["n"].fillna(0).astype("int64")
    table["marker"] = table["marker"].eq(True)
    unit, factor = readable_unit(axes[0], float(table["x"].max()))
    table = table.assign(
        x=table["x"] * factor,
        task=task,
        metric=" and ".join(here.points["metric"].unique()),
        is_reference=[results.methods.get(each, each) in REFERENCES for each in table["method"]],
        chance=results.chance.get(task, np.nan),
        device=_devices(here.points),
        own_device=table["method"].map(own_devices(here.points)).fillna(""),
        unit=unit,
    )
    first = ["task", "metric", "device", "axis", "unit", "method", *STYLE_COLUMNS, "own_device"]
    first += ["on_axis"]
    last = ["done", "planned", "left_out", "contended", "lost_seconds", "is_reference", "chance"]
    return table[[*first, *curve_columns(BANDS[band]), *last]]


def same_readings(table: pd.DataFrame, kind: str) -> bool:
    """Whether the paper and the full reading of a kind of axis ("hours") are the same curves.

    That is so for all methods of a ``panel_table``, but for rounding. False without a curve.
    """
    drawn = table.dropna(subset="x")
    paper, full = (drawn[drawn["axis"] == f"{kind}_{reading}"] for reading in ("paper", "full"))
    if paper.empty or len(paper) != len(full):
        return False
    columns = ["x", *band_of(table)[:3], "n"]
    numbers, others = (rows[columns].to_numpy(dtype=np.float64) for rows in (paper, full))
    return bool(
        (paper["method"].to_numpy() == full["method"].to_numpy()).all()
        and np.allclose(numbers, others, rtol=1e-6, atol=0, equal_nan=True)
    )


def _devices(points: pd.DataFrame) -> str:
    """On which devices points were measured."""
    return " and ".join(sorted(points["device"].unique()))


def own_devices(points: pd.DataFrame) -> dict[str, str]:
    """By method the devices behind the points of one task; empty where all have the same one."""
    if points["device"].nunique() < 2:
        return {}
    return {str(method): _devices(own) for method, own in points.groupby("method")}


def _of_task(results: Results, task: str) -> Results:
    """The points and trials of one task alone."""
    points, trials = results.points, results.trials
    return replace(results, points=points[points.task == task], trials=trials[trials.task == task])


def _method_rows(results: Results, here: Results) -> pd.DataFrame:
    """``method``, its counts and its style, for each method planned on a task, by name."""
    counts = pd.DataFrame(
        {
            "done": _count(finished(here.trials), here),
            "planned": _count(here.trials["trial"].notna(), here),
            "lost_seconds": here.trials.groupby("method")["wasted_seconds"].sum(),
        }
    ).reset_index()
    return styled(counts, results)


def styled(table: pd.DataFrame, results: Results) -> pd.DataFrame:
    """A table with a column ``method``, and ``STYLE_COLUMNS``, as in all figures of the run."""
    labels = results.trials["method"].unique()
    styles = method_styles({label: results.methods.get(label, label) for label in labels})
    rows = [styles[label] for label in table["method"]]
    return table.join(pd.DataFrame(rows, columns=list(STYLE_COLUMNS), index=table.index))


def _has_epochs(results: Results, label: str) -> bool:
    """Whether the steps of a method are epochs of a training."""
    method = results.methods.get(label, label)
    if method in METHOD_STYLES:
        return method not in WITHOUT_EPOCHS
    row = known_methods().get(method)
    return row is None or row.ends_in == "model"  # of other packages only this is known


def _count(which: "pd.Series[bool]", results: Results) -> "pd.Series[int]":
    """How many of the trials of each method these are, by method."""
    return which.astype("int64").groupby(results.trials["method"]).sum()


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

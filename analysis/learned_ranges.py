"""The range that layers learn, epoch by epoch, beside the margin between the classes."""

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures import TITLE_WIDTH
from augbench.analysis.frame import Results
from augbench.analysis.learned_curves import (
    LEGEND,
    LINE,
    TRIAL,
    Stroke,
    add_legend,
    draw_curves,
    draw_line,
    finish,
    seeds_of,
)
from augbench.analysis.settings import plot_settings
from augbench.analysis.styles import method_styles
from augbench.analysis.text import shorten

RANGE_TABLE = (*TRIAL, "step", "range", "margin", "unit")


def learned_ranges(results: Results, task: str) -> pd.DataFrame:
    """How far a sample is moved at most, after each epoch of each trial: ``RANGE_TABLE``.

    That is the sum over layers and operations of weight times value, for the transform of which the
    task knows the margin. No rows where it knows none, or where no layer has learned it yet.
    """
    learned, margin = results.learned, results.margins.get(task)
    if margin is None:
        return pd.DataFrame(columns=list(RANGE_TABLE))
    rows = learned[(learned["task"] == task) & learned["transform"].isin(margin.transforms)]
    rows = rows.assign(range=rows["weight"] * rows["value"])
    table = rows.groupby([*TRIAL, "step"])["range"].sum().reset_index()
    return table.assign(margin=margin.largest, unit=margin.unit)


def range_figure(table: pd.DataFrame, results: Results) -> Figure:
    """A ``learned_ranges`` with rows: medians and quartiles of each method, and the margin."""
    methods = {str(label): results.methods.get(label, label) for label in table["method"].unique()}
    strokes = {
        label: Stroke(style.colour, "-" if style.fill == "full" else "--", style.symbol)
        for label, style in sorted(method_styles(methods).items(), key=lambda each: each[1].order)
    }
    with plot_settings():
        figure = Figure(figsize=(6.6, 3.8), layout="constrained")
        panel = figure.subplots()
        draw_line(panel, float(table["margin"].iloc[0]))
        for label, stroke in strokes.items():
            draw_curves(panel, table[table["method"] == label], "range", stroke)
        panel.set_ylim(bottom=0)
        task = shorten(str(table["task"].iloc[0]), TITLE_WIDTH)
        title = f"{task}: the range that layers learn, {seeds_of(table)}"
        finish(panel, title, y=f"{table['unit'].iloc[0]} to either side")
        add_legend(figure, {**strokes, "margin between classes": LINE}, LEGEND)
    return figure

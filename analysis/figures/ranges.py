"""The range that layers learn, drawn epoch by epoch beside the margin between the classes."""

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures.accuracy_labels import TITLE_WIDTH
from augbench.analysis.figures.learned_curves import (
    LEGEND,
    LINE,
    Stroke,
    add_legend,
    draw_curves,
    draw_line,
    finish,
    seeds_of,
)
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.styles import method_styles
from augbench.analysis.tables.frame import Results
from augbench.analysis.text import shorten


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

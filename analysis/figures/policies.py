"""The policies of each method over folds, as a heat map."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from augbench.analysis.figures.accuracy_labels import TITLE_WIDTH
from augbench.analysis.figures.settings import plot_settings, top_title
from augbench.analysis.text import shorten

MOST_COLUMNS = 40  # folds and gaps side by side
COLOURS = "Blues"
CELL = 0.23  # inches
UNDER = 0.45  # inches under a row of cells, for the folds
LABEL_WIDTH = 20  # characters of a name beside or over the cells


def policy_figure(table: pd.DataFrame) -> Figure:
    """A ``policy_folds`` with rows: operations down, the folds of each method across.

    All cells share one scale, from 0 to the largest strength. Its colours go by the square root, so
    that small strengths can be told apart.
    """
    rows = _rows_of_methods(table)
    names = list(table["transform"].unique())
    widest = max(sum(_width(table, method) for method in row) for row in rows)
    scale = PowerNorm(0.5, 0, float(table["strength"].max()) or 1.0)
    with plot_settings():
        cells = CELL * len(names)  # inches, as those below
        left = 0.35 + 0.07 * max(len(shorten(name, LABEL_WIDTH)) for name in names)
        longest = max(len(shorten(name, LABEL_WIDTH)) for name in table["method"].unique())
        over = 0.3 + 0.045 * longest  # for the slanted names
        room = over + UNDER
        width, height = left + CELL * widest + 1.15, len(rows) * (cells + room) + 0.35
        figure = Figure(figsize=(width, height))
        panels = list(figure.subplots(len(rows), 1, squeeze=False).flat)
        figure.subplots_adjust(
            left=left / width,
            right=1 - 1.15 / width,
            top=1 - (over + 0.35) / height,
            bottom=UNDER / height,
            hspace=room / cells,
        )
        for panel, row in zip(panels, rows, strict=True):
            _draw_row(panel, table, row, names, scale)
            panel.set_xlim(0, widest)
        tall = min(cells, 3.0) / height
        place = figure.add_axes((1 - 1.0 / width, UNDER / height, 0.15 / width, tall))
        bar = figure.colorbar(ScalarMappable(scale, COLOURS), cax=place)
        bar.set_label("how often\nx magnitude")
        task = shorten(str(table["task"].iloc[0]), TITLE_WIDTH)
        top_title(figure, f"{task}: best policies, fold by fold")
    return figure


def _rows_of_methods(table: pd.DataFrame) -> list[list[str]]:
    """The methods, in rows of up to ``MOST_COLUMNS``."""
    rows: list[list[str]] = [[]]
    for method in table["method"].unique():
        wide = sum(_width(table, each) for each in rows[-1]) + _width(table, method)
        if rows[-1] and wide > MOST_COLUMNS:
            rows.append([])
        rows[-1].append(str(method))
    return rows


def _width(table: pd.DataFrame, method: str) -> int:
    """Folds of a method, and a gap. Its name over them needs three columns at least."""
    return max(3, int(table.loc[table["method"] == method, "fold"].nunique())) + 1


def _draw_row(
    panel: Axes, table: pd.DataFrame, methods: list[str], names: list[str], scale: PowerNorm
) -> None:
    left, places, folds = 0, [], []
    for method in methods:
        own = table[table["method"] == method]
        cells = own.pivot_table("strength", "transform", "fold").loc[names]  # (operations, folds)
        edges = left + np.arange(cells.shape[1] + 1)
        panel.pcolormesh(
            edges,
            np.arange(len(names) + 1),
            cells.to_numpy(),
            cmap=COLOURS,
            norm=scale,
            edgecolors="0.85",
            linewidth=0.5,
        )
        label = shorten(method, LABEL_WIDTH)
        panel.text(left + 0.3, -0.25, label, rotation=35, ha="left", va="bottom", fontsize=9)
        places += list(edges[:-1] + 0.5)
        folds += list(cells.columns)
        left += _width(table, method)
    panel.set_xticks(places, [str(fold) for fold in folds])
    panel.set_yticks(
        np.arange(len(names)) + 0.5, [shorten(name, LABEL_WIDTH) for name in names], va="center"
    )
    panel.set_ylim(len(names), 0)
    panel.set_xlabel("fold")
    panel.tick_params(length=0)
    panel.grid(visible=False)
    for side in panel.spines.values():
        side.set_visible(False)

"""The figures: each takes the table that is written beside it and returns a Figure."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import Any, NamedTuple

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from augbench.analysis.figures.accuracy_labels import (
    LABEL_WIDTH,
    empty_reason,
    figure_title,
    legend_label,
    legend_title,
    panel_titles,
    value_label,
    x_label,
)
from augbench.analysis.figures.accuracy_scale import set_scale
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.tables.bands import band_of
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.panels import (
    EPOCH_AXES,
    HOUR_AXES,
    SAMPLE_AXES,
    WALL_AXES,
    panel_table,
)
from augbench.analysis.text import shorten


def accuracy_figure(table: pd.DataFrame) -> Figure:
    """Test metric at the best validation so far, one panel per axis of a ``panel_table``.

    The line is the median over a method's trials and the band its quartiles, or what else the
    table has (``bands.BANDS``); a marker is a point that all of them have reached. The line is thin
    and dotted where fewer trials count than before. Where the paper and the full reading are the
    same for all methods, one panel says so. A panel without any point says why. Level lines are the
    last value of the best reference, and chance.
    """
    titles = panel_titles(table)
    n_columns = min(2, len(titles))
    n_rows = -(-len(titles) // n_columns)
    with plot_settings():
        width = 4.1 * n_columns + (2.0 if n_columns > 1 else 3.0)
        figure = Figure(figsize=(width, 3.3 * n_rows + 0.5), layout="constrained")
        grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for panel, (axis, title) in zip(panels, titles.items(), strict=False):
            _draw_panel(panel, table[table["axis"] == axis], title)
        for panel in panels[len(titles) :]:
            panel.remove()
        set_scale(panels[0], table)
        figure.supylabel(value_label(table), fontsize=10)
        figure.suptitle(figure_title(table), fontsize=12, fontweight="bold")
        _add_legend(figure, table)
    return figure


def _draw_panel(panel: Axes, table: pd.DataFrame, title: str) -> None:
    axis = str(table["axis"].iloc[0])
    for _, rows in table.dropna(subset="x").groupby("style"):
        _draw_curve(panel, rows, front=-int(rows["style"].iloc[0]) / (1 + table["style"].max()))
    for level in _levels(table):
        panel.axhline(level.value, zorder=2, **level.line)
    if table["x"].isna().all():
        panel.text(
            0.5, 0.5, empty_reason(table), transform=panel.transAxes, ha="center", va="center"
        )
    panel.set_title(title, loc="left")
    panel.set_xlabel(x_label(axis, table))
    panel.xaxis.set_tick_params(labelbottom=True)
    sns.despine(ax=panel)


def _draw_curve(panel: Axes, rows: pd.DataFrame, front: float) -> None:
    """One method: band, line, and markers on top; whiskers where the curve is a single value.

    Of two curves the one with the larger ``front``, from -1 to 0, is drawn over the other.
    """
    first = rows.iloc[0]
    colour = first["colour"]
    band = band_of(rows)
    x, value = rows["x"].to_numpy(), rows[band.value].to_numpy()
    low, high = rows[band.low].to_numpy(), rows[band.high].to_numpy()  # NaN: no interval
    whole = int((rows["n"] == rows["n"].max()).sum())  # n only falls, as trials that still run end
    panel.fill_between(x, low, high, step="post", color=colour, alpha=0.13, linewidth=0)
    line: dict[str, Any] = {"color": colour, "linewidth": 1.8, "zorder": 3 + front}
    panel.plot(x[:whole], value[:whole], drawstyle="steps-post", linestyle=_dashes(first), **line)
    if whole < len(x):
        rest = slice(whole - 1, None)
        thin = line | {"linewidth": 1.2, "linestyle": ":"}
        panel.plot(x[rest], value[rest], drawstyle="steps-post", **thin)
    marked = rows["marker"].to_numpy()
    panel.plot(x[marked], value[marked], **_marker(first), zorder=4 + front)
    if len(x) == 1:
        panel.vlines(x, low, high, color=colour, linewidth=1.8, alpha=0.5)


class _Level(NamedTuple):
    """A height to compare curves with."""

    label: str
    value: float
    line: dict[str, Any]


def _levels(table: pd.DataFrame) -> list[_Level]:
    """The best of the references, if there are other methods, and the chance level if known."""
    levels = []
    drawn = table.dropna(subset="x")
    ends = drawn.sort_values("x").groupby("method").tail(1)
    references = ends[ends["is_reference"]]
    if 0 < len(references) < len(ends):
        value = band_of(table).value
        best = references.sort_values(value).iloc[-1]
        line = {"color": best["colour"], "linewidth": 1.0, "linestyle": (0, (6, 3))}
        label = f"best reference: {shorten(str(best['method']), LABEL_WIDTH)}"
        levels.append(_Level(label, float(best[value]), line))
    chance = float(table["chance"].iloc[0])
    if len(drawn) and not isnan(chance):
        line = {"color": "0.45", "linewidth": 1.0, "linestyle": (0, (1, 2))}
        levels.append(_Level(f"chance: {chance:.3g}", chance, line))
    return levels


def _dashes(style: "pd.Series[Any]") -> str:
    return "-" if style["fill"] == "full" else "--"


def _marker(style: "pd.Series[Any]") -> dict[str, Any]:
    full = style["fill"] == "full"
    return {
        "linestyle": "none",
        "marker": style["symbol"],
        "color": style["colour"],
        "fillstyle": style["fill"],
        "markersize": 9 if style["symbol"] == "*" else 6,
        "markerfacecoloralt": "white",
        "markeredgecolor": "white" if full else style["colour"],
        "markeredgewidth": 0.8 if full else 1.3,
    }


def _add_legend(figure: Figure, table: pd.DataFrame) -> None:
    """All methods, beside the panels so that no curve is covered."""
    rows = [row for _, row in table.drop_duplicates("method").sort_values("style").iterrows()]
    handles = [
        Line2D([], [], **_marker(row) | {"linestyle": _dashes(row)})
        if row["on_axis"]
        else Line2D([], [], linestyle="none")
        for row in rows
    ]
    levels = _levels(table[table["axis"] == table["axis"].iloc[0]])
    handles += [Line2D([], [], **level.line) for level in levels]
    lowest = min(panel.get_ylim()[0] for panel in figure.axes)
    outside = [", below" if level.value < lowest else "" for level in levels]
    legend = figure.legend(
        handles,
        ["-"] * len(handles),  # matplotlib leaves out a label that begins with an underscore
        title=legend_title(table),
        title_fontsize=9,
        alignment="left",
        loc="outside right center",
        frameon=False,
    )
    labels = [legend_label(row) for row in rows]
    labels += [level.label + where for level, where in zip(levels, outside, strict=True)]
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)


@dataclass(frozen=True)
class Drawing:
    """A figure of one task: along which axes, and the function that draws it."""

    axes: tuple[str, ...]
    draw: Callable[[pd.DataFrame], Figure]

    def table(
        self,
        results: Results,
        task: str,
        *,
        include_shared: bool = False,
        band: str = "quartiles",
    ) -> pd.DataFrame:
        """The table that ``draw`` takes and that is written beside the figure."""
        return panel_table(results, task, self.axes, include_shared=include_shared, band=band)


FIGURES = {
    "hours": Drawing(HOUR_AXES, accuracy_figure),
    "samples": Drawing(SAMPLE_AXES, accuracy_figure),
    "epochs": Drawing(EPOCH_AXES, accuracy_figure),
    "wall": Drawing(WALL_AXES, accuracy_figure),
}

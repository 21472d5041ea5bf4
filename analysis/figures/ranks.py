"""A critical-difference diagram: mean ranks of the methods, and which cannot be told apart."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from augbench.analysis.figures.accuracy_labels import LABEL_WIDTH
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.statistics.paired import ALPHA
from augbench.analysis.statistics.result import p_text
from augbench.analysis.text import shorten

ROW = 0.3  # inches for the label of a method
ABOVE = 0.85  # inches for the critical difference, above the axis
BAR = 0.14  # inches for the bar of a group
INK = "0.15"


def rank_figure(table: pd.DataFrame) -> Figure:
    """A ``rank_table`` with rows: the best method is on the left, thick bars join the groups.

    The better half of the methods has its labels on the left, the others on the right. Above the
    axis is the critical difference; where the ranks do not differ at all by Friedman's test, one
    bar joins all methods.
    Source: Demsar 2006, figure 1.
    """
    bars = _bars(table)
    n_left = -(-len(table) // 2)
    top = 0.35 + BAR * len(bars)  # inches from the axis to the first label
    depth = top + ROW * (n_left - 0.5)
    with plot_settings():
        figure = Figure(figsize=(8.0, ABOVE + depth + 0.4), layout="constrained")
        panel = figure.subplots()
        panel.set_xlim(1, len(table))
        panel.set_ylim(depth, -ABOVE)  # about in inches, downwards from the axis of ranks
        _draw_axis(panel, len(table))
        _draw_difference(panel, float(table["critical_difference"].iloc[0]))
        overhang = 0.006 * (len(table) - 1)
        for number, (low, high) in enumerate(bars, start=1):
            ends = (low - overhang, high + overhang)
            line: dict[str, Any] = {
                "color": INK,
                "linewidth": 4.0,
                "solid_capstyle": "butt",
                "clip_on": False,
            }
            panel.plot(ends, [0.08 + BAR * number] * 2, **line)
        for place, (_, row) in enumerate(table.iterrows()):
            left = place < n_left
            level = place if left else len(table) - 1 - place
            _draw_method(panel, row, top + ROW * level, left=left)
        figure.suptitle(_title(table), fontsize=10, fontweight="bold")
    return figure


def _bars(table: pd.DataFrame) -> list[tuple[float, float]]:
    """The lowest and the highest rank of each group, in the order of their numbers."""
    groups: dict[int, list[float]] = {}
    for row in table.to_dict("records"):
        # A column of single numbers is read from a CSV as numbers, and an empty cell as NaN.
        numbers = "" if pd.isna(row["groups"]) else str(row["groups"]).removesuffix(".0")
        for number in numbers.split():
            groups.setdefault(int(number), []).append(float(row["rank"]))
    return [(min(ranks), max(ranks)) for _, ranks in sorted(groups.items())]


def _draw_axis(panel: Axes, n_methods: int) -> None:
    panel.spines[["left", "right", "top", "bottom"]].set_visible(False)
    panel.spines["top"].set(visible=True, position=("data", 0), color=INK)
    panel.xaxis.tick_top()
    step = -(-n_methods // 15)
    panel.set_xticks(np.arange(1, n_methods + 1, step))
    panel.tick_params(axis="x", length=4, color=INK, top=True)
    panel.set_yticks([])
    panel.grid(visible=False)


def _draw_difference(panel: Axes, difference: float) -> None:
    """The critical difference as a piece of the axis, above it."""
    y = -0.5
    line: dict[str, Any] = {"color": INK, "linewidth": 1.4, "clip_on": False}
    panel.plot([1, 1 + difference], [y, y], marker="|", markersize=8, **line)
    panel.text(
        1 + difference / 2,
        y - 0.08,
        f"critical difference {difference:.2f}",
        ha="center",
        fontsize=9,
    )


def _draw_method(panel: Axes, row: "pd.Series[Any]", y: float, *, left: bool) -> None:
    """From its rank on the axis down and out to its label."""
    rank, edge = float(row["rank"]), panel.get_xlim()[0 if left else 1]
    full = row["fill"] == "full"
    line = {"color": row["colour"], "linewidth": 1.3, "clip_on": False, "zorder": 1}
    panel.plot([rank, rank, edge], [0, y, y], linestyle="-" if full else "--", **line)
    marker: dict[str, Any] = {
        "marker": str(row["symbol"]),
        "color": row["colour"],
        "fillstyle": row["fill"],
        "markersize": 7.5,
        "markeredgecolor": "white" if full else row["colour"],
        "markeredgewidth": 0.6 if full else 1.0,
        "linestyle": "none",
    }
    panel.plot([rank, edge], [0, y], **marker, clip_on=False, zorder=4)
    name = shorten(str(row["method"]), LABEL_WIDTH)
    label = f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}"
    panel.annotate(
        label,
        (edge, y),
        xytext=(-8 if left else 8, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        fontsize=9,
        annotation_clip=False,
    )


def _title(table: pd.DataFrame) -> str:
    first = table.iloc[0]
    title = f"mean ranks over {first['n_tasks']} tasks (Friedman, {p_text(first['p'])})"
    if not first["p"] < ALPHA:
        title += ": no method can be told from another"
    return f"{title}; failed runs at chance: {first['imputed']}" if first["imputed"] else title

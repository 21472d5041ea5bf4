"""Profiles: what share of the runs of each method has at least a score."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from augbench.analysis.figures.accuracy_labels import LABEL_WIDTH, TITLE_WIDTH
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.text import shorten

MOST_MARKERS = 10  # of a curve
LEAST_MARGIN = 0.005  # of the metric, to either side


def profile_figure(table: pd.DataFrame) -> Figure:
    """A ``profile_table`` with rows: one falling step function for each method.

    A curve further to the right is better: all its runs score as much as where it begins, and none
    more than where it ends. Chance is a line where any run is so low.
    """
    with plot_settings():
        figure = Figure(figsize=(7.1, 3.6), layout="constrained")
        panel = figure.subplots()
        low, high = table["score"].min(), table["score"].max()
        margin = max(0.05 * (high - low), LEAST_MARGIN)
        limits = (low - margin, high + margin)
        for _, rows in table.dropna(subset="score").groupby("style", sort=True):
            _draw_curve(panel, rows, front=-rows["style"].iloc[0] / (1 + table["style"].max()))
        chance = float(table["chance"].iloc[0])
        has_chance = limits[0] < chance < limits[1]  # not where it is NaN
        if has_chance:
            panel.axvline(chance, **_CHANCE)
        panel.set_xlim(*limits)
        panel.set_ylim(-0.03, 1.03)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        metric = str(table["metric"].iloc[0]).replace("_", " ") or "metric"
        panel.set_xlabel(f"final test {metric} of at least")
        panel.set_ylabel("share of runs")
        task = shorten(str(table["task"].iloc[0]), TITLE_WIDTH)
        panel.set_title(f"{task}: runs that reach a score", loc="left", fontweight="bold")
        sns.despine(ax=panel)
        _add_legend(figure, table, {f"chance: {chance:.3g}": _CHANCE} if has_chance else {})
    return figure


_CHANCE: dict[str, Any] = {"color": "0.45", "linewidth": 1.0, "linestyle": (0, (1, 2))}


def _draw_curve(panel: Axes, rows: pd.DataFrame, *, front: float) -> None:
    """From the lowest score, which all runs have, to the drop behind the highest.

    Of two curves the one with the larger ``front``, from -1 to 0, is drawn over the other.
    """
    first = rows.iloc[0]
    score, share = rows["score"].to_numpy(), rows["share"].to_numpy()
    x, y = [*score, score[-1]], [*share, 0.0]
    panel.plot(x, y, drawstyle="steps-pre", **_line(first), zorder=3 + front)
    every = -(-len(score) // MOST_MARKERS)
    panel.plot(score[::every], share[::every], **_marker(first), zorder=4 + front)


def _line(row: "pd.Series[Any]") -> dict[str, Any]:
    dashes = "-" if row["fill"] == "full" else "--"
    return {"color": row["colour"], "linewidth": 1.6, "linestyle": dashes}


def _marker(row: "pd.Series[Any]") -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": str(row["symbol"]),
        "color": row["colour"],
        "fillstyle": row["fill"],
        "markersize": 6.5,
        "markeredgecolor": "white" if row["fill"] == "full" else row["colour"],
        "markeredgewidth": 0.6 if row["fill"] == "full" else 1.0,
        "clip_on": False,
    }


def _add_legend(figure: Figure, table: pd.DataFrame, lines: dict[str, dict[str, Any]]) -> None:
    """All methods beside the panel, also those without a run."""
    rows = [row for _, row in table.drop_duplicates("method").sort_values("style").iterrows()]
    handles = [
        Line2D([], [], **(_marker(row) | _line(row))) if row["n"] else Line2D([], [], alpha=0)
        for row in rows
    ]
    handles += [Line2D([], [], **line) for line in lines.values()]
    planned = sorted({int(row["planned"]) for row in rows})
    runs = "1 run" if planned == [1] else f"{'-'.join(map(str, planned))} runs"
    legend = figure.legend(
        handles,
        ["-"] * len(handles),  # matplotlib leaves out a label that begins with an underscore
        title=f"{runs} each",
        title_fontsize=9,
        alignment="left",
        loc="outside right center",
        frameon=False,
    )
    for text, label in zip(legend.get_texts(), [*map(_label, rows), *lines], strict=True):
        text.set_text(label)


def _label(row: "pd.Series[Any]") -> str:
    label = shorten(str(row["method"]), LABEL_WIDTH)
    if row["n"] < row["planned"]:
        label += f" ({row['n']} of {row['planned']} runs)"
    return f"{label}\n({row['imputed']} failed, at chance)" if row["imputed"] else label

"""The figures: each takes the table that is written beside it and returns a Figure.

No pyplot state is touched: a figure is free to go when its caller lets go of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from augbench.analysis.frame import Results
from augbench.analysis.panels import EPOCH_AXES, HOUR_AXES, SAMPLE_AXES, panel_table

COLOURS: list[str] = sns.color_palette("colorblind").as_hex()  # ten, safe for colour-blind readers
SHAPES = ("o", "s", "^", "D", "v", "p", "<", "h", ">")  # nine, so that ten colours meet others next
LOG_FROM = 40  # a logarithmic x axis where the largest x is so many times the smallest
LEAST_SPAN = 0.1  # of y below the lowest end, if a curve comes from so far down
READINGS = {
    "paper": "paper reading: one retraining",
    "full": "full reading: every retraining",
    "step": "epochs of the method, retrainings left out",
}
STYLE: dict[Any, Any] = {  # over seaborn's "whitegrid"
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "axes.edgecolor": "0.3",
    "grid.color": "0.92",
    "grid.linewidth": 0.8,
}


def accuracy_figure(table: pd.DataFrame) -> Figure:
    """Test metric at the best validation so far, one panel per axis of a ``panel_table``.

    The line is the median over a method's trials, the band its quartiles, a marker a point that all
    of them have reached; thin and dotted where fewer trials than before stand behind it. Without
    any point the panels say so.
    """
    axes = list(table["axis"].unique())
    n_columns = min(2, len(axes))
    n_rows = -(-len(axes) // n_columns)
    with matplotlib.rc_context({**sns.axes_style("whitegrid"), **STYLE}):
        figure = Figure(figsize=(4.1 * n_columns + 1.6, 3.3 * n_rows + 0.5), layout="constrained")
        grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
        panels = list(grid.flat)
        for panel, axis in zip(panels, axes, strict=False):
            _draw_panel(panel, table[table["axis"] == axis])
        _scale(panels[0], table)
        figure.supylabel(_value_label(table), fontsize=10)
        figure.suptitle(_title(table), fontsize=12, fontweight="bold")
        figure.legend(
            handles=_legend(table),
            title=_legend_title(table),
            title_fontsize=9,
            alignment="left",
            loc="outside right center",
            frameon=False,
        )
    return figure


def _draw_panel(panel: Axes, table: pd.DataFrame) -> None:
    axis = str(table["axis"].iloc[0])
    for _, rows in table.dropna(subset="x").groupby("style"):
        _draw_curve(panel, rows)
    if table["x"].isna().all():
        panel.text(
            0.5, 0.5, _empty_reason(table), transform=panel.transAxes, ha="center", va="center"
        )
    panel.set_title(READINGS[axis.rsplit("_", 1)[-1]], loc="left")
    panel.set_xlabel(_x_label(axis, table))
    panel.xaxis.set_tick_params(labelbottom=True)
    sns.despine(ax=panel)


def _draw_curve(panel: Axes, rows: pd.DataFrame) -> None:
    """One method: band, line, and markers on top; whiskers where the curve is a single value."""
    place = int(rows["style"].iloc[0])
    colour = _colour(place)
    x, median = rows["x"].to_numpy(), rows["median"].to_numpy()
    q1, q3 = rows["q1"].to_numpy(), rows["q3"].to_numpy()
    whole = int((rows["n"] == rows["n"].max()).sum())  # n only falls: trials under way drop out
    panel.fill_between(x, q1, q3, step="post", color=colour, alpha=0.13, linewidth=0)
    line: dict[str, Any] = {"color": colour, "linewidth": 1.8, "linestyle": _dashes(place)}
    panel.plot(x[:whole], median[:whole], drawstyle="steps-post", **line)
    if whole < len(x):
        rest = slice(whole - 1, None)
        panel.plot(x[rest], median[rest], ":", drawstyle="steps-post", color=colour, linewidth=1.2)
    marked = rows["marker"].to_numpy()
    panel.plot(x[marked], median[marked], **_marker(place))
    if len(x) == 1:
        panel.vlines(x, q1, q3, color=colour, linewidth=1.8, alpha=0.5)


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]


def _dashes(place: int) -> str:
    """Whole lines until the colours come round again."""
    return "-" if place < len(COLOURS) else "--"


def _marker(place: int) -> dict[str, Any]:
    again = place >= len(COLOURS)
    return {
        "linestyle": "none",
        "marker": SHAPES[place % len(SHAPES)],
        "color": _colour(place),
        "markersize": 6,
        "markerfacecolor": "white" if again else _colour(place),
        "markeredgecolor": _colour(place) if again else "white",
        "markeredgewidth": 1.5 if again else 0.8,
        "zorder": 3,
    }


def _scale(panel: Axes, table: pd.DataFrame) -> None:
    """The axes that all panels share.

    x runs from 0, or is logarithmic where 0 would hide the early curves. y shows where the curves
    end, and below it as much again: the climb from chance would flatten all differences. Where they
    end level it shows the last tenth of the climb, and it ends at 1.
    """
    drawn = table.dropna(subset="x")
    if drawn.empty:
        panel.set(xticks=[], yticks=[])
        return
    least, largest = drawn["x"].min(), drawn["x"].max()
    if least > 0 and largest >= LOG_FROM * least:
        panel.set_xscale("log")
        between = (1, 3) if largest < 1e4 * least else (1,)
        panel.xaxis.set_major_locator(LogLocator(subs=between))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif largest > 0:
        panel.set_xlim(0, 1.03 * largest)
    ends = drawn.groupby(["axis", "method"]).tail(1)
    low, high = ends["q1"].min(), drawn["q3"].max()
    floor = max(drawn["q1"].min(), low - max(high - low, LEAST_SPAN))
    margin = max(0.05 * (high - floor), 0.005)
    # A hair above 1, so that a line there is seen whole; ticks are further apart.
    hair = 0.02 * (high - floor + margin)
    panel.set_ylim(floor - margin, min(high + margin, 1 + hair))


def _x_label(axis: str, table: pd.DataFrame) -> str:
    unit, device = table["unit"].iloc[0], table["device"].iloc[0]
    if axis.startswith("hours"):
        return f"device {unit} ({device})" if device else f"device {unit}"
    return str(unit) if axis in EPOCH_AXES else f"{unit} {axis.split('_')[0]}"


def _value_label(table: pd.DataFrame) -> str:
    metric = str(table["metric"].iloc[0]) or "metric"
    return f"test {metric.replace('_', ' ')}\nat best validation so far"


def _title(table: pd.DataFrame) -> str:
    counts = table.drop_duplicates("method")
    done, planned = counts["done"].sum(), counts["planned"].sum()
    left_out = counts["left_out"].sum()
    parts = [str(table["task"].iloc[0])]
    if done < planned:
        parts.append(f"{done} of {planned} trials done")
    if left_out:
        parts.append(f"{left_out} of {planned} left out (shared GPU)")
    return ", ".join(parts)


def _empty_reason(table: pd.DataFrame) -> str:
    left_out = table["left_out"].sum()
    return f"no timings: {left_out} trials shared their GPU" if left_out else "no point scored yet"


def _legend_title(table: pd.DataFrame) -> str:
    planned = sorted(table["planned"].unique())
    trials = "1 trial" if planned == [1] else f"{'-'.join(str(count) for count in planned)} trials"
    falls = table.groupby(["axis", "method"])["n"].nunique().gt(1).any()
    return f"median, quartiles\nof {trials} each" + ("\n(dotted: of fewer)" if falls else "")


def _legend(table: pd.DataFrame) -> list[Line2D]:
    handles = []
    for row in table.drop_duplicates("method").sort_values("style").to_dict("records"):
        place, done, planned = int(row["style"]), row["done"], row["planned"]
        label = row["method"] if done == planned else f"{row['method']} ({done} of {planned} done)"
        handles.append(
            Line2D([], [], **{**_marker(place), "linestyle": _dashes(place), "label": label})
        )
    return handles


@dataclass(frozen=True)
class Drawing:
    """A figure of one task: where its table comes from, and what draws it."""

    axes: tuple[str, ...]
    draw: Callable[[pd.DataFrame], Figure]

    def table(self, results: Results, task: str, *, include_shared: bool = False) -> pd.DataFrame:
        """The table that ``draw`` takes and that is written beside the figure."""
        return panel_table(results, task, self.axes, include_shared=include_shared)


FIGURES = {
    "hours": Drawing(HOUR_AXES, accuracy_figure),
    "samples": Drawing(SAMPLE_AXES, accuracy_figure),
    "epochs": Drawing(EPOCH_AXES, accuracy_figure),
}

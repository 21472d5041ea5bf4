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
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.tables.bands import NEEDS, band_of
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.panels import (
    EPOCH_AXES,
    HOUR_AXES,
    SAMPLE_AXES,
    WALL_AXES,
    panel_table,
    same_readings,
)
from augbench.analysis.text import shorten

LOG_FROM = 40  # x is logarithmic where its largest value is this many times its smallest
LEAST_SPAN = 0.1  # of y shown below the lowest end, if a curve comes from so far down
TITLE_WIDTH = 40  # characters of a task's name that fit over the panels
DEVICE_WIDTH = 20  # of the devices' names that fit behind the unit
LABEL_WIDTH = 36  # characters of a method's label that fit beside them
READINGS = {
    "paper": "paper reading: one retraining",
    "full": "full reading: every retraining",
    "step": "epochs of the method, retrainings left out",
    "wall": "all work of a trial, one thing after another",
}
SAME = "both readings are the same"


def accuracy_figure(table: pd.DataFrame) -> Figure:
    """Test metric at the best validation so far, one panel per axis of a ``panel_table``.

    The line is the median over a method's trials and the band its quartiles, or what else the
    table has (``bands.BANDS``); a marker is a point that all of them have reached. The line is thin
    and dotted where fewer trials count than before. Where the paper and the full reading are the
    same for all methods, one panel says so. A panel without any point says why. Level lines are the
    last value of the best reference, and chance.
    """
    titles = _panel_titles(table)
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
        _scale(panels[0], table)
        figure.supylabel(value_label(table), fontsize=10)
        figure.suptitle(_title(table), fontsize=12, fontweight="bold")
        _add_legend(figure, table)
    return figure


def _panel_titles(table: pd.DataFrame) -> dict[str, str]:
    """The axes that have a panel, and its title."""
    titles = {}
    for axis in map(str, table["axis"].unique()):
        kind, _, reading = axis.rpartition("_")
        if reading in ("paper", "full") and same_readings(table, kind):
            if reading == "paper":
                titles[axis] = SAME
        else:
            titles[axis] = READINGS[reading]
    return titles


def _draw_panel(panel: Axes, table: pd.DataFrame, title: str) -> None:
    axis = str(table["axis"].iloc[0])
    for _, rows in table.dropna(subset="x").groupby("style"):
        _draw_curve(panel, rows, front=-int(rows["style"].iloc[0]) / (1 + table["style"].max()))
    for level in _levels(table):
        panel.axhline(level.value, zorder=2, **level.line)
    if table["x"].isna().all():
        panel.text(
            0.5, 0.5, _empty_reason(table), transform=panel.transAxes, ha="center", va="center"
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


def _scale(panel: Axes, table: pd.DataFrame) -> None:
    """The axes that all panels share."""
    drawn = table.dropna(subset="x")
    if drawn.empty:
        panel.set(xticks=[], yticks=[])
        return
    least, largest = drawn["x"].min(), drawn["x"].max()
    if is_logarithmic(drawn):
        panel.set_xscale("log")
        between = (1, 3) if largest < 1e4 * least else (1,)
        panel.xaxis.set_major_locator(LogLocator(subs=between))
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    elif largest > 0:
        panel.set_xlim(0, 1.03 * largest)
    panel.set_ylim(*value_limits(drawn))


def is_logarithmic(drawn: pd.DataFrame) -> bool:
    """Whether x is logarithmic, where from 0 on the early curves would be hidden."""
    least, largest = drawn["x"].min(), drawn["x"].max()
    return bool(least > 0 and largest >= LOG_FROM * least)


def value_limits(drawn: pd.DataFrame) -> tuple[float, float]:
    """The part of y that is shown, of the rows of a ``panel_table`` that have an x.

    That is the ends of all curves and as much again below them, since the climb from chance would
    flatten all differences; where all curves end at the same height, the last tenth of the climb.
    It stops at 1.
    """
    spread = band_of(drawn).spread(drawn)  # (rows, 2)
    lows, high = spread.iloc[:, 0], spread.iloc[:, 1].max()
    low = lows[drawn.groupby(["axis", "method"]).tail(1).index].min()  # of the ends
    floor = max(lows.min(), low - max(high - low, LEAST_SPAN))
    margin = max(0.05 * (high - floor), 0.005)
    # A little above 1, so that a line there is seen whole; ticks are further apart.
    hair = 0.02 * (high - floor + margin)
    return float(floor - margin), float(min(high + margin, 1 + hair))


def x_label(axis: str, table: pd.DataFrame) -> str:
    """What x is on one axis of a ``panel_table``, with its unit."""
    unit, device = table["unit"].iloc[0], table["device"].iloc[0]
    if axis.startswith("hours"):
        clock = "wall-clock" if axis in WALL_AXES else "device"
        if not device or pd.isna(device):
            return f"{clock} {unit}"
        between = "\n" if len(device) > DEVICE_WIDTH else " "
        return f"{clock} {unit}{between}({shorten(device, LABEL_WIDTH)})"
    return str(unit) if axis in EPOCH_AXES else f"{unit} {axis.split('_')[0]}"


def value_label(table: pd.DataFrame) -> str:
    """What y is in a ``panel_table``."""
    metric = str(table["metric"].iloc[0]) or "metric"
    return f"test {metric.replace('_', ' ')}\nat best validation so far"


def _title(table: pd.DataFrame) -> str:
    counts = table[table["axis"] == table["axis"].iloc[0]].drop_duplicates("method")
    done, planned = counts["done"].sum(), counts["planned"].sum()
    left_out, contended = counts["left_out"].sum(), counts["contended"].sum()
    parts = [shorten(str(table["task"].iloc[0]), TITLE_WIDTH)]
    if done < planned:
        parts.append(f"{done} of {planned} trials done")
    if left_out:
        parts.append(f"{left_out} of {planned} left out (shared GPU)")
    if contended:
        parts.append(f"{contended} of {planned} on a busy processor")
    if set(table["axis"]) == set(WALL_AXES) and (lost := counts["lost_seconds"].sum()) >= 1:
        parts.append(f"without {lost:.0f} s lost to crashes")
    return ", ".join(parts)


def _empty_reason(table: pd.DataFrame) -> str:
    if not table["on_axis"].any():
        return "none of the methods has epochs"
    left_out, metric = table["left_out"].sum(), table["metric"].iloc[0]
    if left_out:
        return f"no timings: {left_out} trials shared their GPU"
    if set(table["axis"]) == set(WALL_AXES) and pd.notna(metric) and metric:
        return "the wall time of these points is not known"
    return "no point scored yet"


def _legend_title(table: pd.DataFrame) -> str:
    planned = sorted(table["planned"].unique())
    if planned == [1]:
        return "1 trial each"
    trials = f"{'-'.join(str(count) for count in planned)} trials"
    falls = table.groupby(["axis", "method"])["n"].nunique().gt(1).any()
    band, drawn = band_of(table), table.dropna(subset="x")
    has_band = drawn.empty or band.is_known(drawn)
    gap = ",\n" if len(band.range) > len("quartiles") else ", "
    words = f"{band.line}{gap}{band.range}" if has_band else band.line
    lines = [words, f"of {trials} each"]
    if falls:
        lines.append("(dotted: of fewer)")
    if not has_band:
        lines += ["(no interval:", NEEDS.replace(", ", ",\n") + ")"]
    return "\n".join(lines)


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
        title=_legend_title(table),
        title_fontsize=9,
        alignment="left",
        loc="outside right center",
        frameon=False,
    )
    labels = [_legend_label(row) for row in rows]
    labels += [level.label + where for level, where in zip(levels, outside, strict=True)]
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_text(label)


def _legend_label(row: "pd.Series[Any]") -> str:
    label = shorten(str(row["method"]), LABEL_WIDTH)
    if not row["on_axis"]:
        return f"{label} (no epochs)"
    if row["done"] < row["planned"]:
        label = f"{label} ({row['done']} of {row['planned']} done)"
    device = row["own_device"]  # an empty cell where the table was read from its file
    if pd.notna(device) and device and str(row["axis"]).startswith("hours"):
        label += f"\non {shorten(device, LABEL_WIDTH)}"  # hours of several do not compare
    return label


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

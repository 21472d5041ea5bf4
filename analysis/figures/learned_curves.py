"""Curves of what layers learn: one thin line a seed, their median and their quartiles."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from augbench.analysis.figures.accuracy_labels import LABEL_WIDTH
from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.learned import TRIAL
from augbench.analysis.text import shorten


class Stroke(NamedTuple):
    """How a curve is drawn."""

    colour: str
    dashes: Any = "-"  # one of matplotlib's, or (offset, (on, off, ...))
    symbol: str = ""
    width: float = 2.0
    hollow: bool = False  # whether its markers are


LINE = Stroke("0.3", (0, (5, 3)), width=1.2)  # of what the curves are compared with
LEGEND = "thick: median\nband: quartiles\nthin: each seed"  # the title of a legend of curves


# Operations, in figures that have no methods. Colours from Paul Tol's "bright" scheme (2021);
# dashes tell them apart without colours.
OPERATIONS = {
    "rotate": Stroke("#aa3377", "-", width=2.6),
    "translate_x": Stroke("#4477aa", "--"),
    "translate_y": Stroke("#66ccee", ":"),
    "shear_x": Stroke("#228833", "-."),
    "shear_y": Stroke("#ccbb44", (0, (1, 1))),
    "frequency_shift": Stroke("#aa3377", "-", width=2.6),
    "ft_surrogate": Stroke("#4477aa", "--"),
    "gaussian_noise": Stroke("#228833", "-."),
}


def strokes(method: str, *labels: str) -> dict[str, Stroke]:
    """The strokes of up to four labels of a method: all in its colour, the first without dashes."""
    style = METHOD_STYLES[method]
    dashes = ("-", "--", ":", "-.")
    assert len(labels) <= len(dashes)
    return {
        label: Stroke(style.colour, dash, style.symbol, hollow=dash != "-")
        for label, dash in zip(labels, dashes, strict=False)
    }


def draw_curves(panel: Axes, table: pd.DataFrame, column: str, stroke: Stroke) -> None:
    """``column`` against ``step``: each trial thin, their median thick, their quartiles shaded.

    Trials that are not as far as the others are drawn thin, but do not count.
    """
    wide = table.pivot_table(column, "step", TRIAL)
    if wide.empty:
        return
    steps, values = wide.index.to_numpy(), wide.to_numpy()  # (steps,), (steps, trials)
    look: dict[str, Any] = {"color": stroke.colour, "linestyle": stroke.dashes}
    if values.shape[1] > 1:
        panel.plot(steps, values, linewidth=0.7, alpha=0.35, zorder=2, **look)
        values = values[:, np.isfinite(values[-1])]
        q1, q3 = np.quantile(values, [0.25, 0.75], axis=1)
        panel.fill_between(steps, q1, q3, color=stroke.colour, alpha=0.12, linewidth=0)
    marks = _marker(stroke) | {"markevery": max(1, len(steps) // 8)}
    panel.plot(
        steps,
        np.median(values, axis=1),
        linewidth=stroke.width,
        zorder=3,
        **look,
        **(marks if stroke.symbol else {}),
    )


def _marker(stroke: Stroke) -> dict[str, Any]:
    return {
        "marker": stroke.symbol,
        "markersize": 5.5,
        "markerfacecolor": "white" if stroke.hollow else stroke.colour,
    }


def draw_line(panel: Axes, y: float) -> None:
    """A horizontal line to compare with; the legend says what it is."""
    panel.axhline(y, color=LINE.colour, linewidth=LINE.width, linestyle=LINE.dashes, zorder=1)


def add_legend(figure: Figure, rows: Mapping[str, Stroke], title: str) -> None:
    """A legend beside the panels, so that it covers nothing."""
    handles = [
        Line2D(
            [],
            [],
            color=stroke.colour,
            linestyle=stroke.dashes,
            linewidth=stroke.width,
            **(_marker(stroke) if stroke.symbol else {}),
        )
        for stroke in rows.values()
    ]
    legend = figure.legend(
        handles,
        ["-"] * len(rows),  # matplotlib leaves out a label that begins with an underscore
        title=title,
        title_fontsize=9,
        alignment="left",
        handlelength=3.2,  # or dashes look like a line
        loc="outside right center",
        frameon=False,
    )
    for text, label in zip(legend.get_texts(), rows, strict=True):
        text.set_text(shorten(label, LABEL_WIDTH))


def finish(panel: Axes, title: str, *, x: str = "epoch", y: str = "") -> None:
    """Titles and labels of a panel, which begins at 0 on the left."""
    panel.set_title(title, loc="left")
    panel.set_xlabel(x)
    panel.set_ylabel(y)
    panel.set_xlim(left=0)
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    sns.despine(ax=panel)


def seeds_of(table: pd.DataFrame) -> str:
    """How many seeds the medians of curves are of, in words: those that are as far as any."""
    furthest = table.groupby(["task", "method"])["step"].transform("max")
    trials = table[table["step"] == furthest].drop_duplicates(TRIAL)
    return seed_words(trials.groupby(["task", "method"]).size())


def seed_words(counts: "pd.Series[int]") -> str:
    """Numbers of seeds in words: one number, or from the fewest to the most."""
    if counts.empty:
        return "no seed yet"
    low, high = counts.min(), counts.max()
    if low == high:
        return "1 seed" if low == 1 else f"{low} seeds"
    return f"{low} to {high} seeds"

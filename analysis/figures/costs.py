"""What the trials of each method cost, as stacked bars."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.tables.costs import PHASE_STYLES
from augbench.analysis.tables.panels import readable_unit
from augbench.analysis.text import shorten

LABEL_WIDTH = 30  # characters of a method's label that fit beside the bars


def cost_figure(table: pd.DataFrame, task: str) -> Figure:
    """A ``phase_table`` as stacked bars: time on the left, samples forward on the right.

    Left: all phases; what no method is charged is grey, or pink for the search that chose options.
    Right: what is charged, without that search.
    """
    methods = list(dict.fromkeys(table["method"]))
    with plot_settings():
        figure = Figure(figsize=(10.5, 1.6 + 0.3 * max(3, len(methods))), layout="constrained")
        times, samples = figure.subplots(1, 2, sharey=True)
        unit, factor = readable_unit("hours", _longest(table, "seconds") / 3600)
        _draw_bars(times, table, methods, "seconds", factor / 3600)
        times.set_xlabel(f"device {unit}")
        charged = table[table["charged"]]
        unit, factor = readable_unit("forward", _longest(charged, "forward"))
        _draw_bars(samples, charged, methods, "forward", factor)
        samples.set_xlabel(f"{unit} forward, charged")
        times.set_yticks(range(len(methods)), [shorten(name, LABEL_WIDTH) for name in methods])
        times.invert_yaxis()
        figure.suptitle(f"{shorten(task, 40)}: what a trial costs", fontsize=12, fontweight="bold")
        _add_legend(figure, table)
    return figure


def _longest(table: pd.DataFrame, column: str) -> float:
    return float(table.groupby("method")[column].sum().max()) if len(table) else float("nan")


def _draw_bars(
    panel: Axes, table: pd.DataFrame, methods: list[str], column: str, factor: float
) -> None:
    for place, method in enumerate(methods):
        left = 0.0
        for _, row in table[table["method"] == method].dropna(subset=column).iterrows():
            width = float(row[column]) * factor
            panel.barh(place, width, left=left, height=0.72, color=row["colour"], linewidth=0)
            left += width
    if table.empty:
        panel.text(0.5, 0.5, "no trial is finished", transform=panel.transAxes, ha="center")
    panel.set_xlim(left=0)
    panel.grid(axis="y", visible=False)
    sns.despine(ax=panel)


def _add_legend(figure: Figure, table: pd.DataFrame) -> None:
    """The phases that have any time, beside the bars."""
    present = set(table.loc[table["seconds"] > 0, "phase"])
    n_trials = sorted(set(table["n"]))
    trials = "-".join(str(n) for n in n_trials) or "no"
    figure.legend(
        [Patch(color=colour) for phase, (_, colour) in PHASE_STYLES.items() if phase in present],
        [label for phase, (label, _) in PHASE_STYLES.items() if phase in present],
        title="1 trial each" if n_trials == [1] else f"mean of {trials} trials each",
        title_fontsize=9,
        alignment="left",
        loc="outside right center",
        frameon=False,
    )

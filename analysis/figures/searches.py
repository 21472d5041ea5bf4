"""A search: validation metric against each parameter, and the best so far against the hours."""

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.tables.panels import readable_unit
from augbench.bench.printable import printable

COLOUR = "#3f95d8"


def search_figure(table: pd.DataFrame, scales: dict[str, str], title: str) -> Figure:
    """Validation metric against each parameter, and the best so far against the hours spent.

    ``scales`` has the parameters and how their axes are drawn (bench/search/space.py).
    """
    n_panels = len(scales) + 1
    with plot_settings():
        figure = Figure(figsize=(3.6 * n_panels + 1.2, 3.4), layout="constrained")
        panels = list(figure.subplots(1, n_panels, sharey=True, squeeze=False).flat)
        for panel, (key, kind) in zip(panels, scales.items(), strict=False):
            words = kind == "words"
            _draw_trials(
                panel, table, table[key].astype("str").map(printable) if words else table[key]
            )
            panel.set_xlabel("penalty λ" if key == "penalty" else key)
            if kind == "log":
                _logarithmic(panel)
        unit, factor = readable_unit("hours", float(table["hours_so_far"].max()))
        hours = table["hours_so_far"] * factor
        _draw_trials(panels[-1], table, hours)
        panels[-1].plot(hours, table["best"], drawstyle="steps-post", color=COLOUR)
        panels[-1].set_xlabel(f"device {unit}, all trials so far")
        panels[0].set_ylabel("validation metric")
        handles, labels = panels[-1].get_legend_handles_labels()
        if handles:  # beside the panels, so that no trial is covered
            figure.legend(handles, labels, loc="outside right center", frameon=False)
        for panel in panels:
            sns.despine(ax=panel)
        figure.suptitle(printable(title), fontsize=12, fontweight="bold")
    return figure


def _logarithmic(panel: Axes) -> None:
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 1000 * low else (1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _draw_trials(panel: Axes, table: pd.DataFrame, x: "pd.Series[Any]") -> None:
    """A marker and its standard error for each trial; hollow where it was pruned."""
    for state, fill in (("pruned", "white"), ("done", COLOUR)):
        rows = (table["state"] == state) & table["valid"].notna()
        if rows.any():
            panel.errorbar(
                x[rows],
                table["valid"][rows],
                yerr=table["standard_error"][rows].fillna(0.0),
                fmt="o",
                color=COLOUR,
                markerfacecolor=fill,
                markersize=6,
                linewidth=1,
                label=state,
            )

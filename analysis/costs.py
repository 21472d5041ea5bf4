"""Where the time goes: what the trials of each method cost, phase by phase."""

from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from augbench.analysis.frame import Results
from augbench.analysis.panels import readable_unit
from augbench.analysis.settings import plot_settings
from augbench.analysis.styles import method_styles
from augbench.analysis.text import shorten
from augbench.bench.store.costs import COUNTS, WASTED, read_costs
from augbench.bench.store.points import open_run

SEARCHED = "search for options"
# In the order of the bars: what a phase is called, and its colour. Okabe and Ito's colours for what
# a method is charged, greys for the rest.
PHASE_STYLES = {
    "pretrain": ("pretraining", "#e69f00"),
    "search": ("training or search", "#0072b2"),
    "validate": ("validation", "#56b4e9"),
    "retrain": ("retraining", "#009e73"),
    SEARCHED: (SEARCHED, "#cc79a7"),
    "evaluate": ("test scores", "#6b6b6b"),
    "setup": ("loading", "#9a9a9a"),
    "store": ("checkpoints", "#c2c2c2"),
    WASTED: ("lost to crashes", "#000000"),
}
COST_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    "phase": "str",
    "charged": "bool",
    "seconds": "float64",
    "cpu_seconds": "float64",
    "forward": "int64",
    "backward": "int64",
}
LABEL_WIDTH = 30  # characters of a method's label that fit beside the bars


def cost_table(run: Path) -> pd.DataFrame:
    """What each finished trial has cost, one row per phase: ``COST_TABLE``.

    Sums over the trial and its retrainings; ``forward`` and ``backward`` are samples. UserError:
    the path is no run directory, or has another version's layout.
    """
    directory, suite = open_run(run)
    rows = read_costs(directory, suite.plan)
    return pd.DataFrame(rows, columns=list(COST_TABLE)).astype(COST_TABLE)


def phase_table(costs: pd.DataFrame, results: Results, task: str) -> pd.DataFrame:
    """The bars of one task: one row per method and phase, in the order in which they are drawn.

    Columns ``method``, ``phase``, ``label`` and ``colour`` of the phase, ``charged``, means over
    the method's ``n`` trials of ``COUNTS``, and ``busy``, the processor's share of the seconds. A
    search that has chosen a method's options is a phase; of it only the device time is known.
    """
    grouped = costs[costs["task"] == task].groupby(["method", "phase"])
    table = grouped.agg(dict.fromkeys(COUNTS, "mean") | {"charged": "first", "trial": "nunique"})
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()}
        for row in table.rename(columns={"trial": "n"}).reset_index().to_dict("records")
    ]
    counts = {row["method"]: row["n"] for row in rows}
    for method, hours in results.search_hours.items():
        if method in counts:
            nothing = dict.fromkeys(COUNTS, float("nan")) | {"seconds": hours * 3600}
            search = {"method": method, "phase": SEARCHED, "charged": False, "n": counts[method]}
            rows.append(search | nothing)
    labels = results.trials["method"].unique()
    styles = method_styles({label: results.methods.get(label, label) for label in labels})
    places = list(PHASE_STYLES)
    rows.sort(key=lambda row: (styles[row["method"]].order, places.index(row["phase"])))
    for row in rows:
        row["label"], row["colour"] = PHASE_STYLES[row["phase"]]
        row["busy"] = row["cpu_seconds"] / row["seconds"] if row["seconds"] else float("nan")
    columns = ["method", "phase", "label", "colour", "charged", "n", *COUNTS, "busy"]
    return pd.DataFrame(rows, columns=columns)


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
        title=f"mean of {trials} trials each",
        title_fontsize=9,
        alignment="left",
        loc="outside right center",
        frameon=False,
    )

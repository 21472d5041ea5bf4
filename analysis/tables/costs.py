"""Where the time goes: what the trials of each method cost, phase by phase."""

from pathlib import Path
from typing import Any

import pandas as pd

from augbench.analysis.styles import method_styles
from augbench.analysis.tables.frame import Results
from augbench.bench.store.costs import COUNTS, ENERGY, WASTED, read_costs, read_energy
from augbench.bench.store.open_run import open_run

SEARCHED = "search for options"
ENERGY_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "trial": "str",
    **dict.fromkeys(ENERGY, "float64"),
}
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
    WASTED: ("wasted", "#000000"),
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


def cost_table(run: Path) -> pd.DataFrame:
    """What each finished trial has cost, one row per phase: ``COST_TABLE``.

    Sums over the trial and its retrainings; ``forward`` and ``backward`` are samples. UserError:
    the path is no run directory, or has another version's layout.
    """
    directory, suite = open_run(run)
    rows = read_costs(directory, suite.plan)
    return pd.DataFrame(rows, columns=list(COST_TABLE)).astype(COST_TABLE)


def energy_table(run: Path) -> pd.DataFrame:
    """Joules per finished trial: ``ENERGY_TABLE``; no rows where no machine tells.

    They are what the whole machine used while the trial and its retrainings ran, so what ran beside
    them is in it. Empty where only one of both is told. UserError: as for `cost_table`.
    """
    directory, suite = open_run(run)
    rows = read_energy(directory, suite.plan)
    return pd.DataFrame(rows, columns=list(ENERGY_TABLE)).astype(ENERGY_TABLE)


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

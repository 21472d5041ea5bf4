"""The range that AugNet learns against the range in the data: is it that range, or the margin?"""

from collections.abc import Sequence
from math import degrees
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from augbench.analysis.figures.learned_curves import seed_words
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.paper.claims import Claim, judged
from augbench.analysis.paper.intervals import median_estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run
from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.learned import final_rows, learned_table
from augbench.bench.plan.spec import TaskSpec
from augbench.bench.store.open_run import open_run
from augbench.datasets.options.margins import MEET, RIGHT_ANGLE

RANGE_TABLE = ("data", "half_range", "meet", "unit", "fold", "seed", "learned")


class Data(NamedTuple):
    """A task whose half range can be chosen: its option, and where the classes meet."""

    title: str
    option: str
    meet: float  # the margin between the classes is this minus the half range
    near: float  # distances up to this are none; those of figures 5 and 3
    unit: str
    in_degrees: bool = False  # whether the option is in radians, and what is shown in degrees


DATA = {
    "sinusoids": Data("waves of ω ± h", "half_band", MEET, 0.1, "hertz"),
    "mario_iggy": Data(
        "pictures turned by ± h", "half_range", RIGHT_ANGLE, 5.0, "degrees", in_degrees=True
    ),
}


def range_table(runs: Sequence[Run]) -> pd.DataFrame:
    """What a layer of one operation has learned at the end, by half range: ``RANGE_TABLE``."""
    rows: list[dict[str, Any]] = []
    for run in runs:
        tasks = {planned.task: planned.spec.task for planned in open_run(run.path)[1].plan}
        for row in final_rows(learned_table(load(run.path))).to_dict("records"):
            spec = tasks[row["task"]]
            data = DATA[spec.task]
            rows.append(
                {
                    "data": spec.task,
                    "half_range": _half_range(spec),
                    "meet": data.meet,
                    "unit": data.unit,
                    "fold": row["fold"],
                    "seed": row["seed"],
                    "learned": row["value"],
                }
            )
    return pd.DataFrame(rows, columns=list(RANGE_TABLE))


def _half_range(spec: TaskSpec) -> float:
    data = DATA[spec.task]
    given = float(spec.options[data.option])
    return round(degrees(given), 6) if data.in_degrees else given


def draw_ranges(table: pd.DataFrame) -> Figure:
    """One panel per task: each seed, the medians, and the lines of range and margin."""
    with plot_settings():
        figure = Figure(figsize=(9.4, 4.0), layout="constrained")
        for panel, (name, data) in zip(figure.subplots(1, 2), DATA.items(), strict=True):
            _draw_panel(panel, table[table["data"] == name], data)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", frameon=False)
    return figure


def _draw_panel(panel: Axes, rows: pd.DataFrame, data: Data) -> None:
    ends = np.array([0.0, data.meet])
    panel.plot(ends, data.meet - ends, color="0.15", linewidth=1.6, label="margin")
    panel.plot(ends, ends, color="0.45", linewidth=1.6, linestyle="--", label="range h")
    colour = METHOD_STYLES["augnet"].colour
    panel.plot(
        rows["half_range"],
        rows["learned"],
        linestyle="none",
        marker="o",
        markersize=4.5,
        color=colour,
        alpha=0.45,
        markeredgewidth=0,
        label="AugNet, a seed",
    )
    medians = rows.groupby("half_range")["learned"].median()
    panel.plot(
        medians.index,
        medians,
        linestyle="none",
        marker="_",
        markersize=16,
        markeredgewidth=2.4,
        color=colour,
        label="AugNet, median",
    )
    seeds = seed_words(rows.groupby("half_range").size())
    panel.set_title(f"{data.title}, {seeds} for each h", loc="left")
    panel.set_xlabel(f"range in the data: h, {data.unit}")
    panel.set_ylabel(f"learned range, {data.unit} to either side")
    panel.set_xlim(0, data.meet)
    panel.set_ylim(0, 1.05 * max(data.meet, rows["learned"].max() if len(rows) else 0.0))
    sns.despine(ax=panel)


def range_claims(table: pd.DataFrame) -> list[Claim]:
    """How far from either line. Where range and margin are equal, the seeds say nothing."""
    claims = []
    for name, data in DATA.items():
        rows = table[table["data"] == name]
        margin = rows["meet"] - rows["half_range"]
        told_apart = (margin - rows["half_range"]).abs() > 1e-6
        rows, margin = rows[told_apart], margin[told_apart]
        from_range = median_estimate((rows["learned"] - rows["half_range"]).abs())
        from_margin = median_estimate((rows["learned"] - margin).abs())
        claims += [
            Claim(
                f"{name}: distance of what is learned from the range in the data, h",
                "0: it learns the true range of invariance",
                from_range,
                data.unit,
                judged(from_range, high=data.near),
                "trials of all h together, but for the paper's, where range and margin are equal",
            ),
            Claim(
                f"{name}: distance of what is learned from the margin, {data.meet:g} - h",
                "not looked at",
                from_margin,
                data.unit,
                None,
            ),
        ]
    return claims


RANGE = PaperFigure(
    shows="the range that is learned against the range in the data",
    suites={
        "small": ("range_waves_small", "range_mario_small"),
        "paper": ("range_waves_paper", "range_mario_paper"),
    },
    table=range_table,
    draw=draw_ranges,
    claims=range_claims,
)

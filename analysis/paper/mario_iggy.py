"""Figures 3 and 4: which angle do AugNet and Augerino learn on Mario-Iggy, and which operation?"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.frame import load
from augbench.analysis.paper.claims import SHARE, Claim, judged
from augbench.analysis.paper.intervals import median_estimate, share_estimate
from augbench.analysis.paper.learned_curves import (
    LINE,
    OPERATIONS,
    add_legend,
    chosen_rows,
    draw_curves,
    draw_line,
    final_rows,
    finish,
    learned_table,
    seeds_of,
    strokes,
)
from augbench.analysis.paper.paper_figure import PaperFigure, Run, Suites
from augbench.analysis.settings import plot_settings

DEGREES = 45.0  # half the range in the data, and the margin between the classes: 90 - 45
NEAR = 5.0  # degrees from there that count as the same angle
SELECTED = 0.9  # the weight of an operation that is selected
GONE = 0.05  # the magnitude of an operation that does nothing
# The labels of bench/suites/paper/fig3_*.toml, their methods, and how legends call them.
ARMS = {
    "augerino": ("augerino", "Augerino, λ = 0.05"),
    "augerino-script": ("augerino", "Augerino, λ = 0.2"),
    "augnet": ("augnet", "AugNet"),
    "augnet-no-regularizer": ("augnet", "AugNet, no regularizer"),
    "augnet-augerino-regularizer": ("augnet", "AugNet, Augerino's regularizer"),
}
LEGEND = "median, quartiles,\nseeds"
ROTATIONS = ("rotate", "rotation")  # as AugNet and as Augerino call it
SETTINGS: Suites = {"small": ("fig3_small",), "paper": ("fig3_paper",)}


def angle_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The rotation of each arm after each epoch; ``value`` is half the range in degrees."""
    table = learned_table(load(runs[0].path))
    return table[table["transform"].isin(ROTATIONS)].reset_index(drop=True)


def draw_angles(table: pd.DataFrame) -> Figure:
    """Figure 3: the learned angle against the epoch."""
    look = strokes({label: method for label, (method, _) in ARMS.items()})
    with plot_settings():
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        panel = figure.subplots()
        for label in ARMS:
            draw_curves(panel, table[table["method"] == label], "value", look[label])
        draw_line(panel, DEGREES)
        finish(panel, f"Mario-Iggy, {seeds_of(table)}", y="learned angle, degrees to either side")
        panel.set_ylim(bottom=0)
        present = [label for label in ARMS if label in set(table["method"])]
        rows = {ARMS[label][1]: look[label] for label in present}
        add_legend(figure, rows | {"range = margin: 45°": LINE}, LEGEND)
    return figure


def angle_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 3."""
    final = final_rows(table).set_index("method")["value"]

    def ends(label: str, paper: str, holds: tuple[float, float], note: str = "") -> Claim:
        got = median_estimate(final.loc[final.index == label])
        verdict = judged(got, holds[0] <= got.value <= holds[1])
        return Claim(f"{ARMS[label][1]}: final angle", paper, got, "degrees", verdict, note)

    near = (DEGREES - NEAR, DEGREES + NEAR)
    missed = median_estimate(final.loc[final.index == "augnet-augerino-regularizer"])
    decay = "the decay of 1 alone draws every magnitude to 0"
    return [
        ends("augnet", "45 degrees: it learns the correct angle", near),
        ends("augerino", "45 degrees: it learns the correct angle", near),
        ends(
            "augerino-script",
            "45 degrees: it learns the correct angle",
            near,
            "the λ of the official script; the paper names 0.05",
        ),
        ends("augnet-no-regularizer", "it converges to 0", (0.0, NEAR), decay),
        Claim(
            f"{ARMS['augnet-augerino-regularizer'][1]}: final angle",
            "it misses the correct angle",
            missed,
            "degrees",
            judged(missed, not near[0] <= missed.value <= near[1]),
        ),
    ]


OPERATION_ARMS = ("augnet", "augnet-augerino-regularizer")


def operation_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Weights and magnitudes of the operations of both arms of figure 4 after each epoch."""
    table = learned_table(load(runs[0].path))
    return table[table["method"].isin(OPERATION_ARMS)].reset_index(drop=True)


def draw_operations(table: pd.DataFrame) -> Figure:
    """Figure 4: weights and magnitudes of the operations, one row of panels per regularizer."""
    with plot_settings():
        figure = Figure(figsize=(9.2, 5.8), layout="constrained")
        grid = figure.subplots(2, 2, sharex=True, sharey=True)
        for row, label in zip(grid, OPERATION_ARMS, strict=True):
            rows = table[table["method"] == label]
            for panel, column in zip(row, ("weight", "magnitude"), strict=True):
                for name in reversed(names := _operations(table)):
                    draw_curves(panel, rows[rows["transform"] == name], column, OPERATIONS[name])
                finish(panel, f"{ARMS[label][1]}, {seeds_of(rows)}", y=column)
                panel.set_ylim(-0.02, 1.02)
            draw_line(row[1], 0.25)
        rows_of_legend = {name: OPERATIONS[name] for name in names}
        add_legend(figure, rows_of_legend | {"45° for the rotation": LINE}, LEGEND)
    return figure


def _operations(table: pd.DataFrame) -> list[str]:
    present = set(table["transform"])
    return [name for name in OPERATIONS if name in present]


def operation_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 4."""
    chosen = chosen_rows(table)
    own = chosen[chosen["method"] == OPERATION_ARMS[0]]
    rotates = (own["transform"] == "rotate") & (own["weight"] >= SELECTED)
    selects = share_estimate(int(rotates.sum()), len(own))
    tuned = median_estimate(own.loc[rotates, "value"])
    other = chosen[chosen["method"] == OPERATION_ARMS[1]]
    identity = (other["weight"] >= SELECTED) & (other["magnitude"] <= GONE)
    lost = share_estimate(int(identity.sum()), len(other))
    return [
        Claim(
            f"AugNet gives the rotation a weight of {SELECTED} or more",
            "it does; other operations are dropped",
            selects,
            SHARE,
            judged(selects, selects.value > 0.5),
        ),
        Claim(
            "Its angle in the seeds that do",
            "45 degrees",
            tuned,
            "degrees",
            judged(tuned, abs(tuned.value - DEGREES) <= NEAR),
        ),
        Claim(
            "With Augerino's regularizer one operation has all the weight and no magnitude",
            "it does: translate-x; the others' magnitudes grow",
            lost,
            SHARE,
            judged(lost, lost.value > 0.5),
        ),
    ]


FIGURE_3 = PaperFigure(
    shows="the angle that is learned on Mario-Iggy",
    suites=SETTINGS,
    table=angle_table,
    draw=draw_angles,
    claims=angle_claims,
)
FIGURE_4 = PaperFigure(
    shows="weights and magnitudes on Mario-Iggy, with either regularizer",
    suites=SETTINGS,
    table=operation_table,
    draw=draw_operations,
    claims=operation_claims,
)

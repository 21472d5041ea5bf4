"""Figures 3 and 4: which angle do AugNet and Augerino learn on Mario-Iggy, and which operation?"""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures.learned_curves import (
    LEGEND,
    LINE,
    OPERATIONS,
    add_legend,
    draw_curves,
    draw_line,
    finish,
    seeds_of,
    strokes,
)
from augbench.analysis.figures.settings import plot_settings
from augbench.analysis.paper.claims import SHARE, Claim, judged, judged_share
from augbench.analysis.paper.intervals import median_estimate, share_estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run, Suites
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.learned import SELECTED, chosen_rows, final_rows, learned_table
from augbench.datasets.options.margins import of_mario_iggy
from augbench.datasets.options.tasks import MarioIggyOptions

# As AugNet and as Augerino call it, and the margin between the classes, which is half the range in
# the data too: 45 degrees.
ROTATIONS, DEGREES, _ = of_mario_iggy(MarioIggyOptions())
STRONGEST = 180.0  # degrees: a rotation of magnitude 1
NEAR = 5.0  # degrees from there that count as the same angle: a ninth of it
GONE = 0.05  # a magnitude that does next to nothing: it moves by 2 % of a side
# The labels of bench/suites/paper/fig3_*.toml, and how legends call them.
ARMS = {
    "augerino": "Augerino, λ = 0.05",
    "augerino-script": "Augerino, λ = 0.2",
    "augnet": "AugNet",
    "augnet-no-regularizer": "AugNet, no regularizer",
    "augnet-augerino-regularizer": "AugNet, Augerino's regularizer",
}
STROKES = {
    **strokes("augerino", "augerino", "augerino-script"),
    **strokes("augnet", "augnet", "augnet-no-regularizer", "augnet-augerino-regularizer"),
}
SETTINGS: Suites = {"small": ("fig3_small",), "paper": ("fig3_paper",)}


def angle_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The rotation of each arm after each epoch; ``value`` is half the range in degrees."""
    table = learned_table(load(runs[0].path))
    return table[table["transform"].isin(ROTATIONS)].reset_index(drop=True)


def draw_angles(table: pd.DataFrame) -> Figure:
    """Figure 3: the learned angle against the epoch."""
    with plot_settings():
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        panel = figure.subplots()
        for label in ARMS:
            draw_curves(panel, table[table["method"] == label], "value", STROKES[label])
        draw_line(panel, DEGREES)
        finish(panel, f"Mario-Iggy, {seeds_of(table)}", y="learned angle, degrees to either side")
        panel.set_ylim(bottom=0)
        present = [label for label in ARMS if label in set(table["method"])]
        rows = {ARMS[label]: STROKES[label] for label in present}
        add_legend(figure, rows | {"range = margin: 45°": LINE}, LEGEND)
    return figure


def angle_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 3."""
    final = final_rows(table).set_index("method")["value"]

    def ends(label: str, paper: str, limits: tuple[float, float], note: str = "") -> Claim:
        got = median_estimate(final.loc[final.index == label])
        verdict = judged(got, *limits)
        return Claim(f"{ARMS[label]}: final angle", paper, got, "degrees", verdict, note)

    near = (DEGREES - NEAR, DEGREES + NEAR)
    other = ends("augnet-augerino-regularizer", "it misses the correct angle", near)
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
        other._replace(holds=None if other.holds is None else not other.holds),
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
        names = [name for name in OPERATIONS if name in set(table["transform"])]
        for row, label in zip(grid, OPERATION_ARMS, strict=True):
            rows = table[table["method"] == label]
            for panel, column in zip(row, ("weight", "magnitude"), strict=True):
                for name in reversed(names):
                    draw_curves(panel, rows[rows["transform"] == name], column, OPERATIONS[name])
                below = "epoch" if label == OPERATION_ARMS[-1] else ""
                finish(panel, f"{ARMS[label]}, {seeds_of(rows)}", x=below, y=column)
                panel.set_ylim(-0.02, 1.02)
            draw_line(row[1], DEGREES / STRONGEST)
        rows_of_legend = {name: OPERATIONS[name] for name in names}
        add_legend(figure, rows_of_legend | {"45° for the rotation": LINE}, LEGEND)
    return figure


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
            judged_share(selects),
        ),
        Claim(
            "Its angle in the seeds that do",
            "45 degrees",
            tuned,
            "degrees",
            judged(tuned, DEGREES - NEAR, DEGREES + NEAR),
        ),
        Claim(
            "With Augerino's regularizer one operation has all the weight and no magnitude",
            "it does: translate-x; the others' magnitudes grow",
            lost,
            SHARE,
            judged_share(lost),
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

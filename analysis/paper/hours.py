"""Figure 8: accuracy against cumulative device hours, of every method on one task."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from augbench.analysis.figures.accuracy import accuracy_figure
from augbench.analysis.paper.claims import Claim, judged
from augbench.analysis.paper.intervals import Estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run
from augbench.analysis.tables.frame import LEAST_BUSY, Results, load
from augbench.analysis.tables.panels import HOUR_AXES, panel_table
from augbench.datasets.errors import UserError

SEARCHES = ("autoaugment", "fast_autoaugment", "faster_autoaugment", "dada", "adda")
QUARTILES = "the interval is that of the quartiles over folds and seeds"


def hour_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The curves of all methods along both readings of the hours: a ``panel_table``.

    Where trials waited for their processor, hours are those in which it worked for them.
    UserError: the run has not exactly one task.
    """
    results = in_processor_time(load(runs[0].path))
    tasks = results.trials["task"].unique()
    if len(tasks) != 1:
        raise UserError(
            f"figure 8 is of one task; {runs[0].path} has {', '.join(tasks) or 'none'}: choose one "
            "with --task"
        )
    return panel_table(results, tasks[0], HOUR_AXES)


def in_processor_time(results: Results) -> Results:
    """The same results; if a trial waited for its processor, with processor time as the hours.

    Hours that pass are too long on a machine that does other things too, and by other factors for
    each method. All trials are counted alike. The ``device`` of the points says so.
    """
    points = results.points
    if not (points["busy"] < LEAST_BUSY).any():
        return results
    hours = [name for name in map(str, points) if name.startswith("hours")]
    scaled = points[hours].mul(points["busy"].fillna(1.0), axis=0)
    device = points["device"] + ", processor time"
    return replace(results, points=points.assign(**scaled, busy=1.0, device=device))


def hour_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 8, in its own reading of the hours."""
    drawn = table[(table["axis"] == HOUR_AXES[0]) & table["x"].notna()]
    curves = {str(name): rows for name, rows in drawn.groupby("method")}
    claims = [
        Claim(f"Final test metric of {name}", "no number", _end(curves[name]), "", None, QUARTILES)
        for name in ("none", "random_policy", "augnet", *SEARCHES)
        if name in curves
    ]
    rivals = [name for name in SEARCHES if name in curves]
    if "augnet" not in curves or not rivals:
        return claims
    own = curves["augnet"]
    beaten = [name for name in rivals if _end(own).value > _end(curves[name]).value]
    faster = [name for name in beaten if _beats_in_time(own, curves[name])]
    count = Estimate(len(faster), len(faster), len(faster), _end(own).n)
    claims.append(
        Claim(
            f"Searches, of {len(rivals)}, that AugNet beats in accuracy and in time",
            "4 of 5 (all but ADDA, which it equals)",
            count,
            "",
            judged(count, 4),
            f"beaten: {', '.join(beaten) or 'none'}; by medians, without a test of significance",
        )
    )
    return claims


def _end(curve: pd.DataFrame) -> Estimate:
    """The last median of a curve, with its quartiles."""
    q1, median, q3, n = (float(curve[key].iloc[-1]) for key in ("q1", "median", "q3", "n"))
    return Estimate(median, q1, q3, int(n))


def _beats_in_time(own: pd.DataFrame, rival: pd.DataFrame) -> bool:
    """Whether a curve comes to the final value of another one before that one first does."""
    value = _end(rival).value
    first = [curve.loc[curve["median"] >= value, "x"].min() for curve in (own, rival)]
    return bool(first[0] < first[1])  # False if the curve never does: NaN


FIGURE_8 = PaperFigure(
    shows="accuracy against device hours",
    suites={"small": ("fig8_small",), "paper": ("fig8_paper",)},
    table=hour_table,
    draw=accuracy_figure,
    claims=hour_claims,
    of_tasks={"ssvep": {"small": ("fig8_ssvep",), "paper": ("ssvep_full",)}},
)

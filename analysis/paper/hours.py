"""Figure 8: accuracy against cumulative device hours, of every method on one task."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from augbench.analysis.figures import accuracy_figure
from augbench.analysis.frame import load
from augbench.analysis.panels import HOUR_AXES, panel_table
from augbench.analysis.paper.claims import Claim, judged
from augbench.analysis.paper.intervals import Estimate
from augbench.analysis.paper.paper_figure import PaperFigure, Run
from augbench.datasets.errors import UserError

SEARCHES = ("autoaugment", "fast_autoaugment", "faster_autoaugment", "dada", "adda")
QUARTILES = "the interval is that of the quartiles over folds and seeds"


def hour_table(runs: Sequence[Run]) -> pd.DataFrame:
    """The curves of all methods along both readings of the hours: a ``panel_table``.

    UserError: the run has not exactly one task.
    """
    results = load(runs[0].path)
    tasks = results.trials["task"].unique()
    if len(tasks) != 1:
        raise UserError(
            f"figure 8 is of one task; {runs[0].path} has {', '.join(tasks) or 'none'}: choose one "
            "with --task"
        )
    return panel_table(results, tasks[0], HOUR_AXES)


def hour_claims(table: pd.DataFrame) -> list[Claim]:
    """What the paper reads off figure 8, in its own reading of the hours."""
    drawn = table[(table["axis"] == HOUR_AXES[0]) & table["x"].notna()]
    ends = drawn.groupby("method").tail(1).set_index("method")
    present = [name for name in SEARCHES if name in ends.index]
    claims = []
    for name in ("none", "augnet", *SEARCHES):
        got = _estimate(ends, name)
        claims.append(Claim(f"Final test metric of {name}", "no number", got, "", None, QUARTILES))
    if "augnet" not in ends.index or not present:
        return claims
    augnet = ends.loc["augnet"]
    beaten = [name for name in present if augnet["median"] > ends.loc[name, "median"]]
    faster = [name for name in beaten if _reached(drawn, ends.loc[name]) < ends.loc[name, "x"]]
    n = int(augnet["n"])
    count = Estimate(len(faster), len(faster), len(faster), n)
    claims.append(
        Claim(
            f"Searches, of {len(present)}, that AugNet beats in accuracy and in time",
            "4 of 5 (all but ADDA, which it equals)",
            count,
            "",
            judged(count, len(faster) >= 4),
            f"beaten: {', '.join(beaten) or 'none'}; by medians, without a test of significance",
        )
    )
    return claims


def _estimate(ends: pd.DataFrame, name: str) -> Estimate:
    if name not in ends.index:
        return Estimate(np.nan, np.nan, np.nan, 0)
    row = ends.loc[name]
    return Estimate(float(row["median"]), float(row["q1"]), float(row["q3"]), int(row["n"]))


def _reached(drawn: pd.DataFrame, rival: "pd.Series[float]") -> float:
    """When AugNet's median first has the rival's final value; infinite if never."""
    own = drawn[drawn["method"] == "augnet"]
    there = own.loc[own["median"] >= rival["median"], "x"]
    return float(there.min()) if len(there) else float("inf")


FIGURE_8 = PaperFigure(
    shows="accuracy against device hours",
    suites={"small": ("fig8_small",), "paper": ("fig8_paper",)},
    table=hour_table,
    draw=accuracy_figure,
    claims=hour_claims,
)

"""The table behind a profile: what share of the runs of each method has at least a score."""

import numpy as np
import pandas as pd

from augbench.analysis.statistics.performance_profile import score_profile
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.panels import STYLE_COLUMNS, styled
from augbench.analysis.tables.task_scores import DIGITS, task_scores

PROFILE_COLUMNS = {
    "task": "str",
    "metric": "str",
    "method": "str",
    "score": "float64",  # final test metric of a run; empty where the method has no run
    "share": "float64",  # of the runs of the method that have at least this score
    "n": "int64",  # runs with a score
    "planned": "int64",
    "imputed": "int64",  # of the n: failed runs that count as runs at chance level
    "chance": "float64",  # the metric of a model that says the same of all; empty if not known
}


def profile_table(results: Results, task: str) -> pd.DataFrame:
    """The profiles of one task: ``PROFILE_COLUMNS`` and ``STYLE_COLUMNS``, none without a run.

    One row per method and score that any of its runs has, from the lowest on; methods in the order
    of the legend. From one score to the next the share is that of the next, for "at least" counts
    the score itself.
    """
    scores = task_scores(results)[task]
    trials = results.trials[results.trials["task"] == task]
    rows = []
    for method, planned in trials.groupby("method"):
        runs = np.round(scores[str(method)].to_numpy(dtype=np.float64), DIGITS)
        known = runs[~np.isnan(runs)]
        thresholds = np.unique(known) if len(known) else np.array([np.nan])
        shares = score_profile(runs, thresholds)
        counts = (len(known), len(planned), int(planned["trial"].isin(list(results.imputed)).sum()))
        rows += [
            (method, score, share, *counts) for score, share in zip(thresholds, shares, strict=True)
        ]
    table = pd.DataFrame(rows, columns=["method", "score", "share", "n", "planned", "imputed"])
    metrics = results.points.loc[results.points["task"] == task, "metric"].unique()
    table = table.assign(
        task=task, metric=" and ".join(metrics), chance=results.chance.get(task, np.nan)
    ).astype(PROFILE_COLUMNS)
    if not table["n"].any():
        table = table.iloc[:0]
    table = styled(table, results).sort_values(["style", "score"], ignore_index=True)
    return table[[*PROFILE_COLUMNS, *STYLE_COLUMNS]]

"""The range that layers learn, epoch by epoch, beside the margin between the classes."""

import pandas as pd

from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.learned import TRIAL

RANGE_TABLE = (*TRIAL, "step", "range", "margin", "unit")


def learned_ranges(results: Results, task: str) -> pd.DataFrame:
    """How far a sample is moved at most, after each epoch of each trial: ``RANGE_TABLE``.

    That is the sum over layers and operations of weight times value, for the transform of which the
    task knows the margin. No rows where it knows none, or where no layer has learned it yet.
    """
    learned, margin = results.learned, results.margins.get(task)
    if margin is None:
        return pd.DataFrame(columns=list(RANGE_TABLE))
    rows = learned[(learned["task"] == task) & learned["transform"].isin(margin.transforms)]
    rows = rows.assign(range=rows["weight"] * rows["value"])
    table = rows.groupby([*TRIAL, "step"])["range"].sum().reset_index()
    return table.assign(margin=margin.largest, unit=margin.unit)

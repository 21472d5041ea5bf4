"""What layers have learned, epoch by epoch, and the operation that they chose."""

import pandas as pd

from augbench.analysis.tables.frame import Results

TRIAL = ["task", "method", "fold", "seed"]
LEARNED_TABLE = (
    *TRIAL,
    "step",
    "layer",
    "transform",
    "weight",
    "magnitude",
    "value",
    "unit",
    "loss",
)
SELECTED = 0.9  # the weight from which on an operation is selected: the others have next to none


def learned_table(results: Results) -> pd.DataFrame:
    """What layers have learned after each epoch: ``LEARNED_TABLE``, one row per operation."""
    return results.learned[list(LEARNED_TABLE)].reset_index(drop=True)


def final_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the last epoch, of the trials that have come to it."""
    last: pd.DataFrame = table[table["step"] == table["step"].max()]
    return last


def chosen_rows(table: pd.DataFrame) -> pd.DataFrame:
    """The operation of the largest final weight: one row per finished trial and layer."""
    final = final_rows(table).reset_index(drop=True)
    return final.loc[final.groupby([*TRIAL, "layer"])["weight"].idxmax()]

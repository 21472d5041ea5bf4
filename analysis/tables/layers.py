"""What the layers of each trial have learned, epoch by epoch, and which epoch is reported."""

import pandas as pd

from augbench.analysis.styles import method_styles
from augbench.analysis.tables.curves import best_so_far
from augbench.analysis.tables.frame import Results

LAYER_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "layer": "int64",  # 1, 2, ... from the input on
    "transform": "str",
    "unit": "str",
    "step": "int64",  # the epoch
    "weight": "float64",
    "value": "float64",  # the magnitude in `unit`
    "chosen": "bool",  # the epoch of the trial's best validation so far, which is reported
}


def layer_table(results: Results, task: str) -> pd.DataFrame:
    """One row per operation of a layer, trial and epoch: ``LAYER_TABLE``.

    Methods come in the order of the figures, layers from the input on. No rows where no method of
    the task has layers.
    """
    learned = results.learned[results.learned["task"] == task]
    points = results.points[results.points["trial"].isin(learned["trial"])]
    best = best_so_far(points, "step").groupby("trial")["best"].last()
    labels = results.trials["method"].unique()
    styles = method_styles({label: results.methods.get(label, label) for label in labels})
    order = {label: style.order for label, style in styles.items()}
    table = learned.assign(
        chosen=learned["point"] == learned["trial"].map(best),
        order=learned["method"].map(order),
    )
    keys = ["order", "layer", "fold", "seed", "step"]
    table = table.sort_values(keys, kind="stable", ignore_index=True)  # as the layer has them
    return table[list(LAYER_TABLE)].astype(LAYER_TABLE)

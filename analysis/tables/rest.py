"""Have augmentation layers come to rest by the end of a training, or would they move on?"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LAST_QUARTER = 0.25
TOLERANCE = 0.02
COLUMNS = ("task", "method", "fold", "seed", "layer", "transform", "value", "unit", "moved")


def moved_at_the_end(values: NDArray[np.float64]) -> float:
    """How far a curve (N,) moves in its last quarter, as a share of its largest value.

    That is the difference of the means of the last quarter and of the one before it, so that a
    curve that only trembles has not moved. A curve of zeros has not moved. Needs 4 values or more.
    """
    n_last = round(LAST_QUARTER * len(values))
    assert n_last > 0
    last, before = values[-n_last:], values[-2 * n_last : -n_last]
    largest = float(np.abs(values).max())
    return abs(float(last.mean()) - float(before.mean())) / largest if largest > 0 else 0.0


def rest_table(learned: pd.DataFrame) -> pd.DataFrame:
    """One row per trial and layer: ``COLUMNS``, of the transform with the largest final weight.

    ``learned`` has the columns of ``LEARNED_COLUMNS`` (tables/frame.py). ``moved`` is how far the
    magnitude or the weight, whichever moved more, moved in the last quarter; less than
    ``TOLERANCE`` counts as at rest. A trial of fewer than 4 points has no row.
    """
    rows = []
    for (task, method, fold, seed, layer), table in learned.groupby(
        ["task", "method", "fold", "seed", "layer"]
    ):
        ordered = table.sort_values("step", kind="stable")
        final = ordered[ordered["step"] == ordered["step"].max()]
        chosen = final.loc[final["weight"].idxmax()]
        curve = ordered[ordered["transform"] == chosen["transform"]]
        if len(curve) < 4:
            continue
        moved = max(
            moved_at_the_end(curve[column].to_numpy(dtype=np.float64))
            for column in ("magnitude", "weight")
        )
        labels = (task, method, fold, seed, layer)
        rows.append((*labels, chosen["transform"], chosen["value"], chosen["unit"], moved))
    return pd.DataFrame(rows, columns=list(COLUMNS))

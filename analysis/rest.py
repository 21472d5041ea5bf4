"""Have augmentation layers come to rest by the end of a training, or would they move on?"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LAST_QUARTER = 0.25
TOLERANCE = 0.02
COLUMNS = ("task", "method", "fold", "seed", "layer", "transform", "value", "unit", "moved")


def moved_at_the_end(values: NDArray[np.float64], share: float = LAST_QUARTER) -> float:
    """How far a curve (N,) moves in its last part, as a share of its largest value by then.

    The distance is that of the means of the two halves of the last part, which is 0 for what only
    trembles, times 2: that is the drift from its beginning to its end. A curve of zeros has not
    moved. Needs a last part of 2 values or more.
    """
    n_last = round(share * len(values))
    assert n_last > 1
    last = values[-n_last:]
    half = n_last // 2
    drift = 2 * abs(float(last[-half:].mean()) - float(last[:half].mean()))
    largest = float(np.abs(values).max())
    return drift / largest if largest > 0 else 0.0


def rest_table(learned: pd.DataFrame) -> pd.DataFrame:
    """One row per trial and layer: ``COLUMNS``, of the transform with the largest final weight.

    ``learned`` has the columns of ``LEARNED_COLUMNS`` (analysis/frame.py). ``moved`` is the larger
    one of what magnitude and weight moved in the last quarter; up to ``TOLERANCE`` is a rest.
    """
    rows = []
    for (task, method, fold, seed, layer), table in learned.groupby(
        ["task", "method", "fold", "seed", "layer"]
    ):
        ordered = table.sort_values("step", kind="stable")
        final = ordered[ordered["step"] == ordered["step"].max()]
        chosen = final.loc[final["weight"].idxmax()]
        curve = ordered[ordered["transform"] == chosen["transform"]]
        moved = max(
            moved_at_the_end(curve[column].to_numpy(dtype=np.float64))
            for column in ("magnitude", "weight")
        )
        labels = (task, method, fold, seed, layer)
        rows.append((*labels, chosen["transform"], chosen["value"], chosen["unit"], moved))
    return pd.DataFrame(rows, columns=list(COLUMNS))

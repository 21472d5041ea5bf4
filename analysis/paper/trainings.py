"""How trainings went: loss and accuracies after each epoch, of methods that show a model."""

from math import isfinite
from pathlib import Path

import numpy as np
import pandas as pd

from augbench.bench.store.files import DamagedError
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import identity_columns

TRAINING_TABLE = {
    "task": "str",
    "method": "str",
    "fold": "int64",
    "seed": "int64",
    "step": "int64",
    "loss": "float64",  # mean over the epoch's updates, the penalty included
    "train_accuracy": "float64",  # of augmented samples, each before its update; NaN in older runs
    "valid": "float64",
    "test": "float64",
}


def training_table(path: Path) -> pd.DataFrame:
    """``TRAINING_TABLE`` of a run directory: one row per trial and epoch.

    Damaged trials are left out, as in all tables. UserError: the path is no run directory.
    """
    run, suite = open_run(path)
    rows = []
    for planned in suite.plan:
        try:
            points = run.unit(planned.spec.unit).points()
        except DamagedError:
            continue
        for point in points:
            learned = point["learned"]
            if point["kind"] != "model" or not isfinite(learned.get("loss", np.nan)):
                continue
            rows.append(
                {
                    **identity_columns(planned),
                    "step": point["step"],
                    "loss": learned["loss"],
                    "train_accuracy": learned.get("train_accuracy", np.nan),
                    "valid": point["valid"],
                    "test": point["test"],
                }
            )
    return pd.DataFrame(rows, columns=list(TRAINING_TABLE)).astype(TRAINING_TABLE)

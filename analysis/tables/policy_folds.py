"""What the policies of each fold do, so that one sees whether folds agree."""

from statistics import fmean

import pandas as pd

from augbench.analysis.styles import method_styles
from augbench.analysis.tables.frame import Results

POLICY_FOLD_TABLE = {
    "task": "str",
    "method": "str",
    "transform": "str",
    "fold": "int64",
    "seeds": "int64",  # trials of the fold that have ended in a policy
    "strength": "float64",  # mean over these of how often it acts on a sample x its magnitude
}


def policy_folds(operations: pd.DataFrame, results: Results, task: str) -> pd.DataFrame:
    """One row per method, transform and fold of an ``operation_table``: ``POLICY_FOLD_TABLE``.

    Transforms are those that any policy of the task holds, the strongest on average first; what a
    policy lacks has a strength of 0. Methods come in the order of the figures. No rows without a
    policy on the task.
    """
    if operations.empty or not (operations["task"] == task).any():
        return pd.DataFrame(columns=list(POLICY_FOLD_TABLE))
    here = operations[operations["task"] == task]
    keys = ["method", "fold"]
    seeds = here.groupby(keys)["trial"].nunique().to_dict()
    sums = here.groupby([*keys, "transform"])["strength"].sum().to_dict()
    folds = {str(method): sorted(own["fold"].unique()) for method, own in here.groupby("method")}

    def mean(method: str, transform: str, fold: int) -> float:
        return float(sums.get((method, fold, transform), 0.0) / seeds[method, fold])

    def over_all(transform: str) -> float:
        return fmean(fmean(mean(m, transform, f) for f in folds[m]) for m in folds)

    labels = results.trials["method"].unique()
    styles = method_styles({label: results.methods.get(label, label) for label in labels})
    transforms = sorted(here["transform"].unique(), key=lambda name: (-over_all(name), name))
    rows = [
        (task, method, transform, fold, seeds[method, fold], mean(method, transform, fold))
        for method in sorted(folds, key=lambda label: styles[label].order)
        for transform in transforms
        for fold in folds[method]
    ]
    return pd.DataFrame(rows, columns=list(POLICY_FOLD_TABLE)).astype(POLICY_FOLD_TABLE)

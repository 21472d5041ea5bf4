"""The table of gains: every method against every reference, with interval and test over folds."""

from collections.abc import Mapping
from math import nan

import numpy as np
import pandas as pd

from augbench.analysis.statistics.paired import corrected_t_interval, corrected_t_test, holm
from augbench.analysis.tables.frame import Results, ended
from augbench.analysis.tables.panels import REFERENCES
from augbench.analysis.tables.scores import final_scores, reference_labels

GAIN_COLUMNS = {
    "task": "str",
    "method": "str",  # labels, as everywhere
    "reference": "str",
    "gain": "float64",  # mean difference in test metric over folds; NaN without a paired fold
    "low": "float64",  # the 95 % interval of the gain; NaN where `why` says why
    "high": "float64",
    "p": "float64",  # of the corrected t-test over folds; NaN where `why` says why
    "p_holm": "float64",  # p, adjusted for all methods that are held against this reference
    "folds": "int64",  # in which both have an end
    "planned": "int64",  # folds of the method
    "why": "str",  # why there is no interval and no p; "" where there are
}


def gain_table(
    results: Results, *, test_train_ratios: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """One row per task, method and reference planned on it, in this order: ``GAIN_COLUMNS``.

    A reference is what has one of ``REFERENCES`` as its method, whatever its label; they are
    held against each other too. A trial counts once it has ended and has a point. Of a fold, the
    mean over the seeds that both have is one value, because seeds of one fold are alike.
    ``test_train_ratios`` gives by task the number of test examples over that of all others, which a
    method may see; by default those of ``results``. Where they are not known, it is 1 / (folds - 1)
    of the folds that are planned: right where these divide all examples, too careful where more
    folds do, and wrong where folds share one test split.
    """
    ratios = {**results.test_train_ratios, **(test_train_ratios or {})}
    finals = final_test_scores(results)
    rows = []
    for task, trials in results.trials.groupby("task"):
        ratio = ratios.get(str(task), ratio_of_folds(trials["fold"].nunique()))
        on_task = finals[finals["task"] == task]
        for method, planned in trials.groupby("method"):
            for reference in all_references(results, trials["method"]):
                if reference == method:
                    continue
                row = _gain(on_task, str(method), reference, ratio)
                names = {"task": task, "method": method, "reference": reference}
                rows.append(names | row | {"planned": planned["fold"].nunique(), "p_holm": nan})
    table = pd.DataFrame(rows, columns=list(GAIN_COLUMNS)).astype(GAIN_COLUMNS)
    adjusted = table.groupby(["task", "reference"])["p"].transform(lambda p: holm(p.to_numpy()))
    return table.assign(p_holm=adjusted.astype("float64"))


def final_test_scores(results: Results) -> pd.DataFrame:
    """The ``final_scores`` of trials that have ended; what still runs has no final score yet."""
    closed = results.trials.loc[ended(results.trials), "trial"]
    return final_scores(results.points[results.points["trial"].isin(closed)])


def all_references(results: Results, labels: "pd.Series[str]") -> list[str]:
    """Those of the labels whose method is a reference, in the order of ``REFERENCES``."""
    found = (reference_labels(results, labels, method) for method in REFERENCES)
    return [label for of_method in found for label in of_method]


def ratio_of_folds(folds: int) -> float:
    """Test examples over all others where folds divide them; NaN for one fold."""
    return 1 / (folds - 1) if folds > 1 else nan  # one fold is not tested


def _gain(finals: pd.DataFrame, method: str, reference: str, ratio: float) -> dict[str, object]:
    own, other = (finals[finals["method"] == label] for label in (method, reference))
    pairs = own.merge(other, on=["fold", "seed"], suffixes=("", "_reference"))
    folds = pairs.groupby("fold")[["test", "test_reference"]].mean()
    x, y = (folds[column].to_numpy(dtype=np.float64) for column in folds)
    interval, test = corrected_t_interval(x, y, ratio), corrected_t_test(x, y, ratio)
    return {
        "gain": interval.value,
        "low": interval.low,
        "high": interval.high,
        "p": test.p,
        "folds": test.n,
        "why": test.reason,
    }

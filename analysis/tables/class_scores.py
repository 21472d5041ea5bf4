"""Other metrics of finished trials, of each class and of each group, from their predictions."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import identity_columns
from augbench.bench.store.predictions import Predictions, read_predictions

TRIAL = ("task", "method", "fold", "seed", "trial")
METRICS = ("accuracy", "balanced_accuracy", "kappa", "macro_f1", "auroc")
METRIC_TABLE = (*TRIAL, "n", *METRICS)
CLASS_TABLE = (*TRIAL, "class", "n", "recall", "precision", "f1")
CONFUSION_TABLE = (*TRIAL, "class", "predicted", "n")
GROUP_TABLE = (*TRIAL, "group", "n", "accuracy", "balanced_accuracy", "kappa", "macro_f1")

Kept = Iterable[tuple[PlannedTrial, Predictions]]


def kept_predictions(run: Path) -> Iterator[tuple[PlannedTrial, Predictions]]:
    """What the best model of each finished trial predicts on its test split, one after the other.

    Trials that older versions of augbench have finished are left out. UserError: the path is no run
    directory, or has another version's layout.
    """
    directory, suite = open_run(run)
    yield from read_predictions(directory, suite.plan)


def metric_table(kept: Kept) -> pd.DataFrame:
    """One row per trial: ``METRIC_TABLE``, all on the ``n`` test examples.

    ``kappa`` is Cohen's, ``macro_f1`` the mean over the classes that occur, ``auroc`` the mean over
    them of the area under the ROC curve of each class against all others. ``auroc`` is empty where
    one class alone occurs, and where outputs are not finite; ``kappa`` where both what is true and
    what is predicted are one class.
    """
    return _table(METRIC_TABLE, (row for each in kept for row in _metric_rows(*each)))


def class_table(kept: Kept) -> pd.DataFrame:
    """One row per trial and class that occurs: ``CLASS_TABLE``.

    ``n`` is the number of its test examples. The precision and F1 of a class that is never
    predicted are 0.
    """
    return _table(CLASS_TABLE, (row for each in kept for row in _class_rows(*each)))


def confusion_table(kept: Kept) -> pd.DataFrame:
    """One row per trial, true and predicted class: ``CONFUSION_TABLE``, with all pairs of classes.

    ``n`` is the number of test examples.
    """
    return _table(CONFUSION_TABLE, (row for each in kept for row in _confusion_rows(*each)))


def group_table(kept: Kept) -> pd.DataFrame:
    """One row per trial and group, such as a subject, of its test split: ``GROUP_TABLE``.

    The metrics are those of `metric_table`, on the ``n`` examples of the group alone; balanced
    accuracy is over the classes that it has. No rows for tasks that are not split by group.
    """
    return _table(GROUP_TABLE, (row for each in kept for row in _group_rows(*each)))


def _table(columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _metric_rows(planned: PlannedTrial, kept: Predictions) -> Iterable[dict[str, Any]]:
    scores = _scores(kept.y, kept.predicted)
    yield identity_columns(planned) | scores | {"auroc": _auroc(kept)}


def _group_rows(planned: PlannedTrial, kept: Predictions) -> Iterable[dict[str, Any]]:
    if kept.groups is None:
        return
    for group in np.unique(kept.groups):
        own = kept.groups == group
        scores = _scores(kept.y[own], kept.predicted[own])
        yield identity_columns(planned) | {"group": str(group)} | scores


def _scores(y: NDArray[np.int64], predicted: NDArray[np.int64]) -> dict[str, float]:
    """The number of examples (n,), and the metrics that need no probabilities."""
    occurring = np.unique(y)
    with warnings.catch_warnings():
        # A class may be predicted that does not occur; kappa is 0 / 0 where there is one class.
        warnings.simplefilter("ignore")
        balanced = balanced_accuracy_score(y, predicted)
        kappa = cohen_kappa_score(y, predicted)
    macro_f1 = f1_score(y, predicted, labels=occurring, average="macro", zero_division=0)
    return {
        "n": len(y),
        "accuracy": float((y == predicted).mean()),
        "balanced_accuracy": float(balanced),
        "kappa": float(kappa),
        "macro_f1": float(macro_f1),
    }


def _auroc(kept: Predictions) -> float:
    occurring = np.unique(kept.y)
    if len(occurring) < 2 or not np.isfinite(kept.probabilities).all():
        return float("nan")
    areas = [roc_auc_score(kept.y == k, kept.probabilities[:, k]) for k in occurring]
    return float(np.mean(areas))


def _class_rows(planned: PlannedTrial, kept: Predictions) -> Iterable[dict[str, Any]]:
    occurring = np.unique(kept.y)
    scores = precision_recall_fscore_support(
        kept.y, kept.predicted, labels=occurring, zero_division=0
    )
    for number, precision, recall, f1, n in zip(occurring, *scores, strict=True):
        yield identity_columns(planned) | {
            "class": kept.class_names[number],
            "n": int(n),
            "recall": float(recall),
            "precision": float(precision),
            "f1": float(f1),
        }


def _confusion_rows(planned: PlannedTrial, kept: Predictions) -> Iterable[dict[str, Any]]:
    names = kept.class_names
    counts = confusion_matrix(kept.y, kept.predicted, labels=range(len(names)))
    for name, row in zip(names, counts, strict=True):
        for predicted, n in zip(names, row, strict=True):
            yield identity_columns(planned) | {"class": name, "predicted": predicted, "n": int(n)}

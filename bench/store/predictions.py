"""What a model predicts on the test split, kept so that other metrics can be had afterwards."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.bench.plan.suite import PlannedTrial
from augbench.bench.store.files import damaged, file_digest
from augbench.bench.store.points import best_point, of_whole_trials
from augbench.bench.store.run_directory import RunDirectory


class Predictions(NamedTuple):
    """What a model says of N examples of K classes."""

    class_names: tuple[str, ...]
    y: NDArray[np.int64]  # (N,) the true classes
    predicted: NDArray[np.int64]  # (N,)
    probabilities: NDArray[np.float64]  # (N, K), kept in 16 bits; a row may miss 1 by 1e-3
    groups: NDArray[np.str_] | None = None  # (N,), such as subjects; None where there are none


def write_predictions(file: Path, predictions: Predictions) -> None:
    """Write predictions to the disk, compressed; nothing is left of them if that fails."""
    groups: dict[str, Any] = {} if predictions.groups is None else {"groups": predictions.groups}
    try:
        with file.open("wb") as out:
            np.savez_compressed(
                out,
                class_names=np.array(predictions.class_names),
                y=predictions.y.astype(np.int32),
                predicted=predictions.predicted.astype(np.int32),
                probabilities=predictions.probabilities.astype(np.float16),
                **groups,
            )
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        file.unlink(missing_ok=True)  # it would keep a full disk full
        raise


def load_predictions(file: Path, digest: str) -> Predictions:
    """What `write_predictions` wrote into a file that has this digest.

    Raises a DamagedError if the file is missing, or its content has changed.
    """
    if file_digest(file) != digest:
        raise damaged(file, "its content has changed")
    with np.load(file) as arrays:
        return Predictions(
            tuple(arrays["class_names"].tolist()),
            arrays["y"].astype(np.int64),
            arrays["predicted"].astype(np.int64),
            arrays["probabilities"].astype(np.float64),
            arrays.get("groups"),
        )


def read_predictions(
    run: RunDirectory, plan: Sequence[PlannedTrial]
) -> Iterator[tuple[PlannedTrial, Predictions]]:
    """What the best model of each finished trial predicts, in the order of the plan.

    The best is that of the point with the highest validation metric, the older of equal ones; where
    a trial shows policies, its model is that of the retraining. Trials of older versions of
    augbench, which kept no predictions, and damaged ones are left out.
    """
    return of_whole_trials(run, plan, _of_trial)


def _of_trial(
    run: RunDirectory, planned: PlannedTrial
) -> Iterator[tuple[PlannedTrial, Predictions]]:
    if run.unit(planned.spec.unit).check() is None:
        return
    best = best_point(run, planned.spec)
    kept = None if best is None else best.unit.predictions_file()
    if kept is not None:
        yield planned, load_predictions(*kept)

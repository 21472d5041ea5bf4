"""The best weights of a unit so far and what they predict, in the folder of its attempt."""

from pathlib import Path
from typing import Any, NamedTuple

import torch

from augbench.bench.store import checkpoint
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.checksum import payload_digest
from augbench.bench.store.files import DamagedError, file_digest
from augbench.bench.store.predictions import Predictions, write_predictions
from augbench.methods.training.method import Trained


class _Kept(NamedTuple):
    """A model that is in no file yet."""

    weights: dict[str, torch.Tensor]
    predictions: Predictions | None


class BestModel:
    """The model with the highest validation metric so far, the older of equal ones."""

    def __init__(self, directory: AttemptDirectory) -> None:
        self.directory = directory
        self.valid = -1.0
        self.weights = ""  # their digest
        self.predictions = ""  # the digest of the file of what they predict; "" in a search
        self._unwritten: _Kept | None = None

    def keep(self, trained: Trained, predictions: Predictions | None) -> None:
        """Keep a copy of a model, and what it predicts on the test split, if it is the best so far.

        `write` brings the newest of them to the disk.
        """
        if trained.valid <= self.valid:
            return
        self.valid = trained.valid
        weights = {name: each.clone() for name, each in trained.model.state_dict().items()}
        self._unwritten = _Kept(weights, predictions)

    def write(self) -> None:
        """Write what was kept since the last time, before the checkpoint that knows of it.

        Weights have another name until `settle`: the checkpoint before this one needs the former
        ones. Predictions are named after their weights.
        """
        if self._unwritten is None:
            return
        weights, predictions = self._unwritten
        self.weights = checkpoint.weights_digest(weights)
        content = {"weights": weights, "digest": self.weights}
        checkpoint.write(self.directory.new_model_file, content)
        if predictions is not None:
            write_predictions(self._predictions_file(), predictions)
            self.predictions = file_digest(self._predictions_file())
        self._unwritten = None

    def settle(self) -> None:
        """Give new weights their name, now that a checkpoint knows of them."""
        if self.directory.new_model_file.exists():
            self.directory.new_model_file.replace(self.directory.model_file)
            self.directory.drop_predictions(but=self.weights)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint has to know."""
        return {"best_valid": self.valid, "weights": self.weights, "predictions": self.predictions}

    def load_state_dict(self, state: dict[str, Any], folder: Path) -> None:
        """Take over both files from the folder of an earlier attempt, which `holds` them."""
        self.valid, self.weights = state["best_valid"], state["weights"]
        self.predictions = state.get("predictions", "")  # older checkpoints have none
        if self.weights:
            weights = _file_of_weights(folder, self.weights)
            assert weights is not None
            checkpoint.link_or_copy(weights, self.directory.model_file)
        if self.predictions:
            predictions = AttemptDirectory(folder).predictions_file(self.weights)
            checkpoint.link_or_copy(predictions, self._predictions_file())

    def digests(self) -> dict[str, str]:
        """What a result says of both files; "" for what is not there."""
        model = payload_digest(self.directory.model_file) if self.weights else ""
        return {
            "weights": self.weights,
            "model_digest": model,
            "predictions_digest": self.predictions,
        }

    def _predictions_file(self) -> Path:
        return self.directory.predictions_file(self.weights)


def holds(folder: Path, state: dict[str, Any]) -> bool:
    """Whether the folder of an attempt has, undamaged, the files that its checkpoint knows of."""
    weights, predictions = state["weights"], state.get("predictions")
    if weights and _file_of_weights(folder, weights) is None:
        return False
    file = AttemptDirectory(folder).predictions_file(weights)
    try:
        return not predictions or file_digest(file) == predictions
    except DamagedError:
        return False


def _file_of_weights(attempt: Path, digest: str) -> Path | None:
    """The file of an attempt that holds the weights with a digest; None if there is none.

    A process that was killed right after a checkpoint has not given the new weights their name yet.
    """
    directory = AttemptDirectory(attempt)
    files = (directory.model_file, directory.new_model_file)
    return next((file for file in files if checkpoint.holds_weights(file, digest)), None)

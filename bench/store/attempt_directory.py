"""The folder of an attempt: its files, and what later attempts may do to it."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augbench.bench.store.files import read_records
from augbench.bench.store.records import EVENT

CHECKPOINTS = ("last.pt", "previous.pt")  # of an attempt


@dataclass(frozen=True)
class AttemptDirectory:
    """The folder of one process that works, or has worked, on a unit."""

    path: Path

    @property
    def number(self) -> int:
        return int(self.path.name)

    @property
    def log_file(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def pulse_file(self) -> Path:
        return self.path / "pulse.json"

    @property
    def points_file(self) -> Path:
        return self.path / "points.jsonl"

    @property
    def model_file(self) -> Path:
        return self.path / "model.pt"

    @property
    def new_model_file(self) -> Path:
        """Better weights, before there is a checkpoint that knows of them."""
        return self.path / "new-model.pt"

    def predictions_file(self, weights: str) -> Path:
        """What the weights with a digest predict on the test split."""
        return self.path / f"predictions-{weights}.npz"

    def drop_predictions(self, but: str) -> None:
        """Delete the predictions of all weights but those with a digest."""
        for file in self.path.glob("predictions-*.npz"):
            if file != self.predictions_file(but):
                _delete(file)

    @property
    def draft_file(self) -> Path:
        return self.path / "draft.json"

    def log(self) -> list[dict[str, Any]]:
        """The events that it noted, oldest first; a DamagedError if they are not readable."""
        return [event for _, event in read_records(self.log_file, EVENT)]

    def has_checkpoint(self) -> bool:
        return any((self.path / name).exists() for name in CHECKPOINTS)

    def fence(self) -> None:
        """Make sure that the process of this attempt cannot make a result if it comes back."""
        while not self.draft_file.is_dir():
            # It may be writing a draft, or another process may be doing the same as this one.
            with suppress(FileExistsError, IsADirectoryError):
                self.draft_file.unlink(missing_ok=True)
                self.draft_file.mkdir()

    def drop_tensors(self) -> None:
        """Delete its checkpoints, its weights and what they predict."""
        for pattern in ("*.pt", "predictions-*.npz"):
            for file in self.path.glob(pattern):
                _delete(file)


def _delete(file: Path) -> None:
    """Delete a file; a folder in its place is not ours and stays."""
    if not file.is_dir():
        file.unlink(missing_ok=True)

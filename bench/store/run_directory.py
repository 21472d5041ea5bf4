"""The run directory: who writes what, atomically or line by line, and how it is read back.

    run.json                         schema, the resolved suite; written by the driver
    skipped.json                     the trials that it skipped, and why
    lock                             held by the driver for as long as it lives
    events.jsonl                     what the driver did: dispatches, ends, retries
    halt                             there while the driver asks all units to pause
    trials/ID/ and evaluations/ID/   one unit of work each:
        spec.json                    what the unit is; ID is its hash
        rung.json                    in a search: the step to pause after; written by the driver
        failure.json                 why the driver has given it up; gone when it is tried again
        lock                         held by the process that works on it
        starting.json                signs of life before an attempt (bench/engines/starting.py)
        attempts/0001/               one a process:
            log.jsonl                its start, from where it went on, its end
            pulse.json               its progress and how long it has lived, every moment
            points.jsonl             one line a scored artifact that it published
            last.pt, previous.pt     its checkpoints
            model.pt                 the best weights
            draft.json               its result, before it is one
        policies/DIGEST.json         the policies among the artifacts, named by their content
        result.json                  there exactly when the unit is finished; names its attempt

The directory of a search is the same, but for search.json (schema, the search), journal.log (its
trials, an Optuna study) and best.toml in place of run.json: nothing in it has seen the test split.

Every file has one writer (bench/store/files.py is how).

Locks say nothing on some network file systems, and a process that was cut off may come back when
another has gone on in its place. So none writes where another does: an attempt takes its number by
making its folder, which only one process can, and of what two attempts say the higher number's
counts. The first result stays. Into the folder of an attempt only later ones reach: they put a
folder in the place of its draft, so that it makes no result, and once they have a checkpoint of
their own they delete its checkpoints and weights.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augbench.bench.plan.spec import UnitId
from augbench.bench.store.files import read_json, read_lines, sync_folder, write_json
from augbench.datasets.errors import UserError

SCHEMA = 2
CHECKPOINTS = ("last.pt", "previous.pt")  # of an attempt


@dataclass(frozen=True)
class AttemptDirectory:
    """The folder of one process that works, or has worked, on a unit. Checkpoints lie in it."""

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
    def draft_file(self) -> Path:
        return self.path / "draft.json"

    def log(self) -> list[dict[str, Any]]:
        return list(read_lines(self.log_file))

    def has_checkpoint(self) -> bool:
        return any((self.path / name).exists() for name in CHECKPOINTS)

    def fence(self) -> None:
        """Keep the process of this attempt, should it come back, from making a result."""
        while not self.draft_file.is_dir():
            # It may write one just now, or another process do the same as this one.
            with suppress(FileExistsError, IsADirectoryError):
                self.draft_file.unlink(missing_ok=True)
                self.draft_file.mkdir()

    def drop_tensors(self) -> None:
        """Delete its checkpoints and weights."""
        for file in self.path.glob("*.pt"):
            file.unlink(missing_ok=True)


@dataclass(frozen=True)
class UnitDirectory:
    """The folder of one trial or one evaluation."""

    path: Path

    @property
    def policies(self) -> Path:
        return self.path / "policies"

    @property
    def result_file(self) -> Path:
        return self.path / "result.json"

    def spec(self) -> dict[str, Any]:
        return read_json(self.path / "spec.json")

    @property
    def rung_file(self) -> Path:
        return self.path / "rung.json"

    def rung(self) -> int | None:
        """The step that the unit is to pause after; None where it goes on to its end."""
        rung = _read_if_there(self.rung_file)
        return None if rung is None else int(rung["step"])

    def pause_after(self, step: int | None) -> None:
        """Let the next attempt pause after a step, or go on to the end."""
        if step is None:
            self.rung_file.unlink(missing_ok=True)
        else:
            write_json(self.rung_file, {"step": step})

    @property
    def failure_file(self) -> Path:
        return self.path / "failure.json"

    def failure(self) -> str | None:
        """Why the driver has given the unit up; None where it has not."""
        failure = _read_if_there(self.failure_file)
        return None if failure is None else str(failure["reason"])

    def result(self) -> dict[str, Any] | None:
        """The record of a finished unit, or None."""
        return _read_if_there(self.result_file)

    def model_file(self) -> Path | None:
        """The best weights of a finished unit; None before, and where it has shown no model."""
        result = self.result()
        if result is None:
            return None
        file = self._attempt(result["attempt"]).model_file
        return file if file.exists() else None

    def points(self) -> list[dict[str, Any]]:
        """The rows of all attempts, by point; of a point that has two, the newest attempt's."""
        rows = {
            row["point"]: row
            for attempt in self.attempts()
            for row in read_lines(attempt.points_file)
        }
        return [rows[point] for point in sorted(rows)]

    def points_size(self) -> int:
        """Bytes of the files of points of all attempts: other ones when a point has been added."""
        files = [attempt.points_file for attempt in self.attempts()]
        return sum(file.stat().st_size for file in files if file.exists())

    def attempts(self) -> list[AttemptDirectory]:
        """All attempts, oldest first."""
        folder = self.path / "attempts"
        try:
            names = os.listdir(folder)  # noqa: PTH208 four times as fast: status asks of thousands
        except FileNotFoundError:
            return []
        numbered = sorted(filter(str.isdecimal, names), key=int)
        return [AttemptDirectory(folder / name) for name in numbered]

    def begin_attempt(self) -> AttemptDirectory:
        """Make the folder of the next attempt: two processes never get the same one."""
        (self.path / "attempts").mkdir(exist_ok=True)
        attempt = self._attempt(max((each.number for each in self.attempts()), default=0) + 1)
        while True:
            try:
                attempt.path.mkdir()
            except FileExistsError:
                attempt = self._attempt(attempt.number + 1)
            else:
                sync_folder(attempt.path.parent)
                return attempt

    def _attempt(self, number: int) -> AttemptDirectory:
        return AttemptDirectory(self.path / "attempts" / f"{number:04d}")


@dataclass(frozen=True)
class RunDirectory:
    """A run directory, as it is."""

    path: Path

    def unit(self, unit: UnitId) -> UnitDirectory:
        return UnitDirectory(self.path / unit.kind / unit.digest)

    @property
    def events_file(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def header_file(self) -> Path:
        return self.path / "run.json"

    @property
    def halt_file(self) -> Path:
        """There while the driver asks all units under way to pause after their step."""
        return self.path / "halt"

    @property
    def skipped_file(self) -> Path:
        return self.path / "skipped.json"

    def skipped(self) -> dict[str, str]:
        """The trials that the last driver skipped, each by its digest, and why."""
        return _read_if_there(self.skipped_file) or {}

    def exists(self) -> bool:
        """Whether a run has been begun here."""
        return self.header_file.exists()

    def header(self) -> dict[str, Any]:
        """The content of run.json.

        Raises a UserError if there is none, or it has another version's layout.
        """
        file = self.header_file
        if not self.exists():
            raise UserError(f"{self.path} is no run directory: it holds no run.json")
        header = read_json(file)
        schema = header.get("schema")
        if not isinstance(schema, int):
            raise UserError(f"{file} is damaged: it names no schema")
        check_schema(self.path, schema)
        if not isinstance(header.get("suite"), dict):
            raise UserError(f"{file} is damaged: it holds no suite")
        return header

    def add_unit(self, unit: UnitId, spec: dict[str, Any]) -> UnitDirectory:
        """Make the folder of a unit, but not the run's; nothing happens where it exists."""
        directory = self.unit(unit)
        if not (directory.path / "spec.json").exists():
            for folder in (directory.path.parent, directory.path, directory.path / "attempts"):
                folder.mkdir(exist_ok=True)
            write_json(directory.path / "spec.json", spec)
        return directory


def _read_if_there(file: Path) -> dict[str, Any] | None:
    """What a file of JSON holds; None where there is none, or another process removes it now."""
    try:
        return read_json(file)
    except FileNotFoundError:
        return None


def check_schema(path: Path, schema: int) -> None:
    """Raise a UserError if a directory has another layout than this version's."""
    if schema > SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, this version reads up to {SCHEMA}: "
            "update augbench, or choose another directory with --out"
        )
    if schema < SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, this version reads {SCHEMA} only: finish it with the "
            "version of augbench that wrote it, or choose another directory with --out"
        )

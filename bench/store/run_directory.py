"""The run directory: its files, who writes each of them, and how they are read and checked.

    run.json                         schema and resolved suite; written by the driver
    skipped.json                     the trials that it skipped, and why
    splits.json                      of each task a sentence on how its first fold is split
    lock                             held by the driver while it lives
    events.jsonl                     what the driver did: dispatches, ends, retries
    halt                             exists while the driver asks all units to pause
    trials/ID/ and evaluations/ID/   one unit of work each:
        spec.json                    what the unit is; ID is its hash
        rung.json                    in a search: the step to pause after; written by the driver
        failure.json                 why the driver has given it up; removed when it is tried again
        lock                         held by the process that works on the unit
        starting.json                signs of life before an attempt (bench/engines/starting.py)
        attempts/0001/               one for each process:
            log.jsonl                its start, from where it went on, its end
            pulse.json               its progress and how long it has lived, twice a second
            points.jsonl             one line for each scored artifact that it published
            last.pt, previous.pt     its checkpoints
            model.pt                 the best weights
            draft.json               its result, before it becomes one
        policies/DIGEST.json         the policies among the artifacts, named by their content
        result.json                  exists exactly when the unit is finished; names its attempt

The directory of a search is the same, but has search.json (schema, the search), journal.log (its
trials, an Optuna study) and best.toml in place of run.json. Nothing in it has seen the test split.

Every file has one writer (bench/store/files.py is how).

On some network file systems locks do nothing, and a process that was cut off may come back when
another one has gone on with its unit. So no process writes where another one does: an attempt gets
its number by making its folder, which only one process can do. If two attempts disagree, the one
with the higher number counts. The first result stays. Only later attempts change the folder of an
attempt: they put a folder in the place of its draft, so that it cannot make a result, and once they
have a checkpoint of their own they delete its checkpoints and weights.

Whatever is read is held against its own name: the spec against the unit's ID, a policy against its
digest, the rows and the model of a finished unit against its result. What does not agree is
damaged: it is not counted as done. The driver renames it to NAME.damaged and does the unit again.
"""

import hashlib
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

from augbench.bench.plan.spec import UnitId, record_digest
from augbench.bench.store.files import (
    DamagedError,
    append_line,
    damaged,
    read_json,
    read_record,
    read_records,
    sync_folder,
    write_json,
)
from augbench.bench.store.records import (
    EVENT,
    FAILURE,
    POINT_ROW,
    RESULT,
    RUNG,
    SENTENCES,
    Row,
)
from augbench.datasets.errors import UserError
from augbench.methods.policies.policy import digest_in

Record = TypeVar("Record")
SCHEMA = 3  # of the run directory: raised when its layout changes
ASIDE = ".damaged"  # what the name of a damaged file or folder then ends in
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
    def draft_file(self) -> Path:
        return self.path / "draft.json"

    def log(self) -> list[dict[str, Any]]:
        """The events that it noted, oldest first; a DamagedError if they are not readable."""
        return [event for _, event in read_records(self.log_file, EVENT)]

    def has_checkpoint(self) -> bool:
        return any((self.path / name).exists() for name in CHECKPOINTS)

    def fence(self) -> None:
        """Prevent that the process of this attempt, if it comes back, makes a result."""
        while not self.draft_file.is_dir():
            # It may be writing a draft, or another process may be doing the same as this one.
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

    @property
    def spec_file(self) -> Path:
        return self.path / "spec.json"

    @property
    def rung_file(self) -> Path:
        return self.path / "rung.json"

    @property
    def failure_file(self) -> Path:
        return self.path / "failure.json"

    def spec(self) -> dict[str, Any]:
        """What the unit is; a DamagedError if that is not what its folder is named after."""
        try:
            spec = read_json(self.spec_file)
        except FileNotFoundError:
            if not self.path.is_dir():
                raise
            raise damaged(self.spec_file, "it is missing") from None
        if record_digest(spec) != self.path.name:
            raise damaged(self.spec_file, f"it is not the spec of unit {self.path.name}")
        return spec

    def rung(self) -> int | None:
        """The step after which the unit has to pause; None if it goes on to its end."""
        rung = _read_if_there(self.rung_file, RUNG)
        return None if rung is None else int(rung["step"])

    def pause_after(self, step: int | None) -> None:
        """Let the next attempt pause after a step, or go on to the end."""
        if step is None:
            self.rung_file.unlink(missing_ok=True)
        else:
            write_json(self.rung_file, {"step": step})

    def failure(self) -> str | None:
        """Why the driver has given the unit up; None if it has not."""
        failure = _read_if_there(self.failure_file, FAILURE)
        return None if failure is None else str(failure["reason"])

    def result(self) -> dict[str, Any] | None:
        """The record of a finished unit, or None; a DamagedError if it is not what was written."""
        result = _read_if_there(self.result_file, RESULT)
        if result is not None and result != sealed(result):
            raise damaged(self.result_file, "its content has changed")
        return result

    def model_file(self) -> Path | None:
        """The best weights of a finished unit; None before, and if it has shown no model.

        Raises a DamagedError if the file is not there, or begins otherwise than it was written.
        """
        result = self.result()
        return None if result is None else self._model_of(result)

    def _model_of(self, result: dict[str, Any]) -> Path | None:
        if not result["weights"]:
            return None
        file = self._attempt(result["attempt"]).model_file
        if _first_line(file).rpartition(b" ")[2].decode(errors="replace") != result["model_digest"]:
            raise damaged(file, "it is not the model that the result names")
        return file

    def points(self) -> list[Row]:
        """The rows of all attempts, by point; if two attempts have a point, the newer one's row.

        Raises a DamagedError if a row is damaged or missing, or is not the one that was written.
        """
        result = self.result()  # first: once it exists, no row is added
        lines, rows = self._rows(None if result is None else result["points"])
        n_known = len(rows) if result is None else result["points"]
        if [row["point"] for row in rows] != list(range(1, n_known + 1)):
            known = f" of {n_known}" if result else ""
            raise damaged(self._points_place(), f"it holds {len(rows)}{known} points, not all")
        if result is not None and lines_digest(lines) != result["points_digest"]:
            raise damaged(self._points_place(), "its content has changed")
        return rows

    def points_digest(self, n_points: int) -> str:
        """The digest of the first rows."""
        return lines_digest(self._rows(n_points)[0])

    def _rows(self, n_points: int | None) -> tuple[list[bytes], list[Row]]:
        """The rows of all attempts, as lines and as records, by point; at most the first ones.

        An attempt that began anew may end, by its budget of hours, before the rows of an older one.
        """
        rows = {
            row["point"]: (line, row)
            for attempt in self.attempts()
            for line, row in read_records(attempt.points_file, POINT_ROW)
        }
        ordered = [rows[point] for point in sorted(rows)][:n_points]
        return [line for line, _ in ordered], [row for _, row in ordered]

    def _points_place(self) -> Path:
        """The file of points, or all of them if several attempts have one."""
        attempts = self.attempts()
        return attempts[0].points_file if len(attempts) == 1 else self.path / "attempts"

    def policy(self, row: Row) -> dict[str, Any]:
        """The record of the policy that a row names.

        Raises a DamagedError if it is missing, or is not that policy.
        """
        file = self.policies / f"{row['policy']}.json"
        try:
            record = read_json(file)
            found = digest_in(record), record_digest(record)
        except FileNotFoundError:
            raise damaged(file, "it is missing") from None
        except KeyError as error:
            raise damaged(file, f"it holds no {error.args[0]}") from error
        if found != (row["policy"], row["policy_record"]):
            raise damaged(file, "it is not the policy that its name says")
        return record

    def check(self) -> dict[str, Any] | None:
        """The result, held against all other files: None if the unit is not finished.

        Raises a DamagedError if a file disagrees with the unit's name or with its result. Rows and
        policies are not looked at: `points` and `policy` check them.
        """
        attempts = self.attempts()
        result = self.result()
        if result is None and not attempts and not self.spec_file.exists():
            return None  # its driver was killed while it made the folder
        self.spec()
        if result is None:
            return None
        diverged = result["state"].startswith("diverged")
        if self.path.parent.name == "evaluations" and result["points"] == 0 and not diverged:
            raise damaged(self.result_file, "it is finished without a point")
        attempt = self._attempt(result["attempt"])
        if not any(event["event"] == "start" for event in attempt.log()):
            raise damaged(attempt.log_file, "it does not say where the attempt ran")
        self._model_of(result)
        return result

    def points_size(self) -> int:
        """Bytes of the files of points of all attempts: another number once a point is added."""
        files = [attempt.points_file for attempt in self.attempts()]
        return sum(file.stat().st_size for file in files if file.exists())

    def attempts(self) -> list[AttemptDirectory]:
        """All attempts, oldest first; a DamagedError if one is no folder."""
        folder = self.path / "attempts"
        try:
            with os.scandir(folder) as entries:  # faster than pathlib: status asks of thousands
                found = {entry.name: entry.is_dir() for entry in entries if entry.name.isdecimal()}
        except FileNotFoundError:
            return []
        except NotADirectoryError as error:
            raise damaged(folder, str(error.strerror)) from error
        for name, is_folder in found.items():
            if not is_folder:
                raise damaged(folder / name, "it is no folder")
        return [AttemptDirectory(folder / name) for name in sorted(found, key=int)]

    def begin_attempt(self) -> AttemptDirectory:
        """Make the folder of the next attempt: two processes never get the same one."""
        folder = self.path / "attempts"
        folder.mkdir(exist_ok=True)
        # Numbers of damaged attempts are not used again: their processes may still live.
        numbers = (name.partition(".")[0] for name in os.listdir(folder))  # noqa: PTH208
        attempt = self._attempt(max(map(int, filter(str.isdecimal, numbers)), default=0) + 1)
        while True:
            try:
                attempt.path.mkdir()
            except FileExistsError:
                attempt = self._attempt(attempt.number + 1)
            else:
                sync_folder(attempt.path.parent)
                return attempt

    def set_aside(self) -> None:
        """Rename what the unit holds, so that it is done again from the start. Deletes nothing."""
        if not self.path.is_dir():
            rename_aside(self.path)
            return
        # The result first: without it a unit that is half set aside is not taken for finished.
        names = ("result.json", "spec.json", "policies", "rung.json", "failure.json", "attempts")
        attempts = self.path / "attempts"
        for name in names[:-1] if attempts.is_dir() else names:
            rename_aside(self.path / name)
        if attempts.is_dir():
            for entry in sorted(attempts.iterdir()):
                if entry.name.isdecimal():
                    rename_aside(entry)

    def _attempt(self, number: int) -> AttemptDirectory:
        return AttemptDirectory(self.path / "attempts" / f"{number:04d}")

    def set_orders_aside(self) -> None:
        """Rename what the driver has written for the unit, if it cannot be read."""
        for file, read in ((self.rung_file, self.rung), (self.failure_file, self.failure)):
            try:
                read()
            except DamagedError:
                rename_aside(file)


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
        """Exists while the driver asks all units under way to pause after their step."""
        return self.path / "halt"

    @property
    def skipped_file(self) -> Path:
        return self.path / "skipped.json"

    def skipped(self) -> dict[str, str]:
        """The trials that the last driver skipped, each by its digest, and why."""
        return _read_if_there(self.skipped_file, SENTENCES) or {}

    @property
    def splits_file(self) -> Path:
        return self.path / "splits.json"

    def splits(self) -> dict[str, str]:
        """How the first fold of each task is split, a sentence by the label of the task."""
        return _read_if_there(self.splits_file, SENTENCES) or {}

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
        if type(schema) is not int:
            raise damaged(file, "it names no schema")
        check_schema(self.path, schema)
        if not isinstance(header.get("suite"), dict):
            raise damaged(file, "it holds no suite")
        return header

    def add_unit(self, unit: UnitId, spec: dict[str, Any]) -> UnitDirectory:
        """Make the folder of a unit, but not the run's. A unit that is damaged begins anew."""
        directory = self.unit(unit)
        try:
            directory.check()
            for row in directory.points():
                if row["kind"] == "policy":
                    directory.policy(row)
        except DamagedError as error:
            directory.set_aside()
            event = {"time": time.time(), "event": "set aside", "unit": str(unit)}
            append_line(self.events_file, {**event, "detail": str(error)})
        directory.set_orders_aside()
        if not directory.spec_file.exists():
            for folder in (directory.path.parent, directory.path, directory.path / "attempts"):
                folder.mkdir(exist_ok=True)
            write_json(directory.spec_file, spec)
        return directory


def sealed(result: dict[str, Any]) -> dict[str, Any]:
    """A result with the digest of all its other values."""
    plain = {key: value for key, value in result.items() if key != "record_digest"}
    return {**plain, "record_digest": record_digest(plain)}


def lines_digest(lines: list[bytes]) -> str:
    """A hash of lines."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()[:16]


def _first_line(file: Path) -> bytes:
    """The beginning of a file of tensors; nothing if there is no such file."""
    try:
        with file.open("rb") as content:
            return content.readline(200).rstrip(b"\n")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return b""


def rename_aside(path: Path) -> None:
    """Put a file or folder where nobody looks for it."""
    if not path.exists():
        return
    name, number = path.name + ASIDE, 1
    while path.with_name(name).exists():
        number += 1
        name = f"{path.name}{ASIDE}-{number}"
    path.rename(path.with_name(name))


def _read_if_there(file: Path, adapter: TypeAdapter[Record]) -> Record | None:
    """The record in a file of JSON; None if there is no file, or another process removes it now."""
    try:
        return read_record(file, adapter)
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

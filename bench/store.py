"""The run directory: who writes what, atomically or line by line, and how it is read back.

    run.json                         schema, the resolved suite; written by the driver
    skipped.json                     the trials that it skipped, and why
    lock                             held by the driver for as long as it lives
    events.jsonl                     what the driver did: dispatches, ends, retries
    halt                             there while the driver asks all units to pause
    trials/ID/ and evaluations/ID/   one unit of work each:
        spec.json                    what the unit is; ID is its hash
        rung.json                    in a search: the step to pause after; written by the driver
        lock                         held by the process that works on it
        attempts/0001.jsonl, .pulse  one a process: its start and end; its progress, every moment
        checkpoint/last.pt, previous.pt
        points.jsonl                 one line a scored artifact
        policies/DIGEST.json         the policies among the artifacts
        model.pt                     the best weights
        result.json                  there exactly when the unit is finished

The directory of a search is the same, but for search.json (schema, the search), journal.log (its
trials, an Optuna study) and best.toml in place of run.json: nothing in it has seen the test split.

Every file has one writer. Files of lines are only appended to; a line torn by a crash is dropped by
the next writer and skipped by readers. All other files are replaced as a whole.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from bench.checkpoint import sync_folder
from datasets.errors import UserError

SCHEMA = 1

Kind = Literal["trials", "evaluations"]


class UnitId(NamedTuple):
    """A unit of work in a run directory."""

    kind: Kind
    digest: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.digest}"


@dataclass(frozen=True)
class UnitDirectory:
    """The folder of one trial or one evaluation."""

    path: Path

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoint"

    @property
    def points_file(self) -> Path:
        return self.path / "points.jsonl"

    @property
    def model_file(self) -> Path:
        return self.path / "model.pt"

    def spec(self) -> dict[str, Any]:
        return read_json(self.path / "spec.json")

    @property
    def rung_file(self) -> Path:
        return self.path / "rung.json"

    def rung(self) -> int | None:
        """The step that the unit is to pause after; None where it goes on to its end."""
        return int(read_json(self.rung_file)["step"]) if self.rung_file.exists() else None

    def pause_after(self, step: int | None) -> None:
        """Let the next attempt pause after a step, or go on to the end."""
        if step is None:
            self.rung_file.unlink(missing_ok=True)
        else:
            write_json(self.rung_file, {"step": step})

    def result(self) -> dict[str, Any] | None:
        """The record of a finished unit, or None."""
        file = self.path / "result.json"
        return read_json(file) if file.exists() else None

    def points(self) -> list[dict[str, Any]]:
        return list(read_lines(self.points_file))

    def attempts(self) -> list[Path]:
        """The files of all attempts, oldest first."""
        return sorted((self.path / "attempts").glob("*.jsonl"))


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
        return read_json(self.skipped_file) if self.skipped_file.exists() else {}

    def exists(self) -> bool:
        """Whether a run has been begun here."""
        return self.header_file.exists()

    def header(self) -> dict[str, Any]:
        """The content of run.json.

        Raises a UserError if there is none or a newer version wrote it.
        """
        file = self.header_file
        if not self.exists():
            raise UserError(f"{self.path} is no run directory: it holds no run.json")
        header = read_json(file)
        schema = header.get("schema")
        if not isinstance(schema, int):
            raise UserError(f"{file} is damaged: it names no schema")
        if schema > SCHEMA:
            raise UserError(
                f"{self.path} has schema {schema}, this version reads up to {SCHEMA}: "
                "update augbench, or choose another run directory"
            )
        if not isinstance(header.get("suite"), dict):
            raise UserError(f"{file} is damaged: it holds no suite")
        return header

    def add_unit(self, unit: UnitId, spec: dict[str, Any]) -> UnitDirectory:
        """Make the folder of a unit; nothing happens where it exists."""
        directory = self.unit(unit)
        if not (directory.path / "spec.json").exists():
            (directory.path / "attempts").mkdir(parents=True, exist_ok=True)
            write_json(directory.path / "spec.json", spec)
        return directory


class DamagedError(UserError):
    """A file that is not what was written."""


def _damaged(file: Path, what: str) -> DamagedError:
    """The error for a damaged file, and for one of a unit what to do."""
    unit = next((folder for folder in file.parents if (folder / "spec.json").exists()), None)
    advice = f": remove {unit} to do that unit again" if unit else ""
    return DamagedError(f"{file} is damaged ({what}){advice}")


@contextmanager
def hold_lock(file: Path, message: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a file lock, which the system takes back when the process dies, however it dies.

    Raises a UserError with the message and the holder's process number if it stays taken.
    """
    with file.open("a+") as lock:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(lock):
            if time.monotonic() >= deadline:
                lock.seek(0)
                raise UserError(f"{message} (held by {lock.read().strip() or 'nobody known'})")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {os.uname().nodename}")
        lock.flush()
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def append_line(file: Path, record: dict[str, Any], *, sync: bool = True) -> None:
    """Append one record as a line; a torn line before it, left by a crash, is dropped."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab+") as lines:
        drop_torn_line(lines)
        lines.write(json.dumps(record).encode() + b"\n")
        lines.flush()
        if sync:
            os.fsync(lines.fileno())


def drop_torn_line(lines: IO[bytes]) -> None:
    """Cut off the end of a file of lines, open for reading and writing, that is no whole line."""
    end = lines.seek(0, os.SEEK_END)
    if end == 0:
        return
    lines.seek(end - 1)
    if lines.read(1) == b"\n":
        return
    lines.seek(0)
    lines.truncate(lines.read().rfind(b"\n") + 1)
    lines.seek(0, os.SEEK_END)


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The records of a file of lines, without a torn last one; none if there is no file.

    Raises a DamagedError for a whole line that is damaged.
    """
    if not file.exists():
        return
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        if line.endswith(b"\n"):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise _damaged(file, f"line {number}: {error}") from error


def write_json(file: Path, record: dict[str, Any]) -> None:
    """Replace a file of JSON as a whole, and bring it to the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_json(file, record, sync=True)
    sync_folder(file.parent)


def replace_json(file: Path, record: dict[str, Any], *, sync: bool = False) -> None:
    """Replace a file of JSON as a whole; without ``sync`` a power cut may lose it."""
    replace_text(file, json.dumps(record, indent=1) + "\n", sync=sync)


def replace_text(file: Path, content: str, *, sync: bool = False) -> None:
    """Replace a file as a whole; without ``sync`` a power cut may lose it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w") as text:
            text.write(content)
            text.flush()
            if sync:
                os.fsync(text.fileno())
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)  # on a full disk it would keep the disk full
        raise


def read_json(file: Path) -> dict[str, Any]:
    """A file of JSON.

    Raises a DamagedError if it is damaged.
    """
    try:
        record = json.loads(file.read_text())
    except ValueError as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(record, dict):
        raise _damaged(file, "it holds no table")
    return record

"""The folder of a unit, a trial or a retraining; what it holds is compared with its name."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augbench.bench.plan.spec import record_digest
from augbench.bench.store.attempt_directory import AttemptDirectory
from augbench.bench.store.checksum import payload_digest
from augbench.bench.store.files import (
    DamagedError,
    damaged,
    read_if_there,
    read_json,
    read_records,
    rename_aside,
    sync_folder,
    write_json,
)
from augbench.bench.store.records import ASKED, FAILURE, POINT_ROW, RESULT, RUNG, Row
from augbench.methods.policies.policy import digest_in


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
    def samplings_file(self) -> Path:
        return self.path / "samplings.jsonl"

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
        rung = read_if_there(self.rung_file, RUNG)
        return None if rung is None else int(rung["step"])

    def pause_after(self, step: int | None) -> None:
        """Let the next attempt pause after a step, or go on to the end."""
        if step is None:
            self.rung_file.unlink(missing_ok=True)
        else:
            write_json(self.rung_file, {"step": step})

    def failure(self) -> str | None:
        """Why the driver has given the unit up; None if it has not."""
        failure = read_if_there(self.failure_file, FAILURE)
        return None if failure is None else str(failure["reason"])

    def result(self) -> dict[str, Any] | None:
        """The record of a finished unit, or None; a DamagedError if it is not what was written."""
        result = read_if_there(self.result_file, RESULT)
        if result is not None and result != sealed(result):
            raise damaged(self.result_file, "its content has changed")
        return result

    def model_file(self) -> Path | None:
        """The best weights of a finished unit; None before, and if it has shown no model.

        Raises a DamagedError if the file is not there, or has another checksum than was written.
        """
        result = self.result()
        return None if result is None else self._model_of(result)

    def _model_of(self, result: dict[str, Any]) -> Path | None:
        if not result["weights"]:
            return None
        file = self._attempt(result["attempt"]).model_file
        with suppress(DamagedError):
            if payload_digest(file) == result["model_digest"]:
                return file
        raise damaged(file, "it is not the model that the result names")

    def predictions_file(self) -> tuple[Path, str] | None:
        """What the best weights of a finished unit predict on the test split, and its digest.

        None before, and if there are none. Raises a DamagedError if the file is not there.
        """
        result = self.result()
        return None if result is None else self._predictions_of(result)

    def _predictions_of(self, result: dict[str, Any]) -> tuple[Path, str] | None:
        digest = result.get("predictions_digest")
        if not digest:
            return None
        file = self._attempt(result["attempt"]).predictions_file(result["weights"])
        if not file.is_file():
            raise damaged(file, "it is missing")
        return file, digest

    def points(self) -> list[Row]:
        """The rows of all attempts, by point; if two attempts have a point, the newer one's row.

        Raises a DamagedError if a row is damaged or missing, or is not the one that was written.
        """
        result = self.result()  # first: once it exists, no row is added
        lines, rows = self._rows(None if result is None else result["points"])
        n_known = len(rows) if result is None else result["points"]
        if [row["point"] for row in rows] != list(range(1, n_known + 1)):
            known = f" of {n_known}" if result else ""
            raise damaged(self._points_path(), f"it holds {len(rows)}{known} points, not all")
        if result is not None and lines_digest(lines) != result["points_digest"]:
            raise damaged(self._points_path(), "its content has changed")
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

    def _points_path(self) -> Path:
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
        self._predictions_of(result)
        return result

    def points_size(self) -> int:
        """Bytes of the files of points of all attempts: the number grows when a point is added."""
        files = [attempt.points_file for attempt in self.attempts()]
        return sum(file.stat().st_size for file in files if file.exists())

    def asked(self) -> list[dict[str, Any]]:
        """The proposals that a trial has asked others to try.

        Raises a DamagedError for a line that is damaged.
        """
        return [record for _, record in read_records(self.samplings_file, ASKED)]

    def samplings_size(self) -> int:
        """Bytes of the file of samplings that a trial has asked for; 0 if there is none."""
        return self.samplings_file.stat().st_size if self.samplings_file.exists() else 0

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
        names = (
            *("result.json", "spec.json", "policies", "samplings.jsonl", "rung.json"),
            *("failure.json", "attempts"),
        )
        attempts = self.path / "attempts"
        for name in names[:-1] if attempts.is_dir() else names:
            rename_aside(self.path / name)
        if attempts.is_dir():
            for entry in sorted(attempts.iterdir()):
                if entry.name.isdecimal():
                    rename_aside(entry)

    def _attempt(self, number: int) -> AttemptDirectory:
        return AttemptDirectory(self.path / "attempts" / f"{number:04d}")

    def set_unreadable_files_aside(self) -> None:
        """Rename what the driver has written for the unit, if it cannot be read."""
        for file, read in ((self.rung_file, self.rung), (self.failure_file, self.failure)):
            try:
                read()
            except DamagedError:
                rename_aside(file)


def sealed(result: dict[str, Any]) -> dict[str, Any]:
    """A result with the digest of all its other values."""
    plain = {key: value for key, value in result.items() if key != "record_digest"}
    return {**plain, "record_digest": record_digest(plain)}


def lines_digest(lines: list[bytes]) -> str:
    """A hash of lines."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()[:16]

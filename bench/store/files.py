"""Locks, files of lines and files of JSON that no crash and no full disk leaves half written.

Files of lines are only appended to: readers skip a line that a crash has torn, and the next writer
drops it. All other files are replaced as a whole. Nothing here makes a folder: if one is gone, as
after a share was unmounted, that is an error.
"""

import errno
import fcntl
import hashlib
import json
import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from augbench.datasets.errors import UserError

Record = TypeVar("Record")
UNIT_KINDS = ("trials", "evaluations", "samplings")  # folders of a run directory
ASIDE = ".damaged"  # what the names of damaged files and folders end in
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # from file systems without links


class BusyError(UserError):
    """Another process is doing this work."""


class DamagedError(UserError):
    """A file is not what was written."""


def damaged(file: Path, problem: str) -> DamagedError:
    """The error for a damaged file. For a file of a unit it says what to do."""
    in_unit = any(
        folder.parent.name in UNIT_KINDS and len(folder.name) == 12
        for folder in (file, *file.parents)
    )
    advice = ": the same augbench run or search does this unit again" if in_unit else ""
    return DamagedError(f"{file} is damaged ({problem}){advice}")


@contextmanager
def hold_lock(file: Path, message: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold a file lock. The system releases it when the process dies.

    Raises a BusyError with the message and the holder's process number if it stays taken.
    """
    with file.open("a+", encoding="utf-8") as lock:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(lock):
            if time.monotonic() >= deadline:
                lock.seek(0)
                raise BusyError(f"{message} (held by {lock.read().strip() or 'nobody known'})")
            time.sleep(0.1)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}")
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


def append_line(
    file: Path, record: dict[str, Any], *, sync: bool = True, makes_file: bool = True
) -> None:
    """Append one record as a line; drop a torn line before it, which a crash has left.

    Raises a FileNotFoundError if the file does not exist and ``makes_file`` is False.
    """
    append_lines(file, [record], sync=sync, makes_file=makes_file)


def append_lines(
    file: Path, records: Iterable[dict[str, Any]], *, sync: bool = True, makes_file: bool = True
) -> None:
    """Append records, a line each, and bring them to the disk together; as `append_line`."""

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags if makes_file else flags & ~os.O_CREAT, 0o666)  # as open() does

    with open(file, "ab+", opener=opener) as lines:
        drop_torn_line(lines)
        lines.write(b"".join(json.dumps(record).encode() + b"\n" for record in records))
        lines.flush()
        if sync:
            os.fsync(lines.fileno())


def drop_torn_line(lines: IO[bytes]) -> None:
    """Cut an incomplete last line off a file of lines that is open for reading and writing."""
    end = lines.seek(0, os.SEEK_END)
    if end == 0:
        return
    lines.seek(end - 1)
    if lines.read(1) == b"\n":
        return
    lines.seek(0)
    lines.truncate(lines.read().rfind(b"\n") + 1)
    lines.seek(0, os.SEEK_END)


def _whole_lines(file: Path) -> list[bytes]:
    """The lines of a file, without a torn last one; no lines if there is no file.

    Raises a DamagedError if it is a folder, or lies below a file.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return []
    except (IsADirectoryError, NotADirectoryError) as error:
        raise damaged(file, str(error.strerror)) from error
    return content.split(b"\n")[:-1]


def read_lines(file: Path) -> Iterator[dict[str, Any]]:
    """The table in each line of a file; nothing if there is no file.

    Raises a DamagedError for the first line that holds no table.
    """
    for number, line in enumerate(_whole_lines(file), 1):
        try:
            record = from_json(line)
        except ValueError as error:
            raise damaged(file, f"line {number}: {error}") from error
        if not isinstance(record, dict):
            raise damaged(file, f"line {number} holds no table")
        yield record


def read_records(file: Path, adapter: TypeAdapter[Record]) -> Iterator[tuple[bytes, Record]]:
    """Each line of a file, and the record in it; nothing if there is no file.

    Raises a DamagedError for the first line that holds no such record.
    """
    for number, line in enumerate(_whole_lines(file), 1):
        try:
            yield line, adapter.validate_json(line)
        except ValidationError as error:
            raise damaged(file, f"line {number}: {first_problem(error)}") from error


def first_problem(error: ValidationError) -> str:
    """What is wrong with a record, and where in it."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    # The name of a variant of a row stands in the path; keys stand behind it.
    path = ".".join(map(str, first["loc"]))
    return f"{path}: {first['msg']}" if path else first["msg"]


def write_json(file: Path, record: dict[str, Any]) -> None:
    """Replace a file of JSON as a whole, and bring it to the disk."""
    replace_json(file, record, sync=True)
    sync_folder(file.parent)


def write_json_once(file: Path, record: dict[str, Any], draft: Path) -> bool:
    """Write a file of JSON to the disk unless there is one; True if this one was written.

    The draft becomes the file by a link, which never replaces another file. A folder in the place
    of the draft prevents the file.
    """
    try:
        replace_json(draft, record, sync=True)
        os.link(draft, file)
    except OSError as error:
        if draft.is_dir():
            return False
        if file.exists():  # ours, if a server made the link and its answer was lost
            return draft.exists() and file.samefile(draft)
        if error.errno not in _NO_LINKS:
            raise
        draft.replace(file)
    draft.unlink(missing_ok=True)
    sync_folder(file.parent)
    return True


def replace_json(file: Path, record: dict[str, Any], *, sync: bool = False) -> None:
    """Replace a file of JSON as a whole; a power cut may lose it without ``sync``."""
    replace_text(file, json.dumps(record, indent=1) + "\n", sync=sync)


def replace_text(file: Path, content: str, *, sync: bool = False) -> None:
    """Replace a file as a whole; a power cut may lose it without ``sync``."""
    # Processes on two machines may have the same number.
    draft = file.with_name(f".{file.name}.{platform.node()}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as text:
            text.write(content)
            text.flush()
            if sync:
                os.fsync(text.fileno())
        draft.replace(file)
    except BaseException:
        draft.unlink(missing_ok=True)  # it would keep a full disk full
        raise


def read_json(file: Path) -> dict[str, Any]:
    """A table in a file of JSON.

    Raises a DamagedError if the file holds no table.
    """
    try:
        # Unlike `json` it refuses deep nesting and endless numbers by a ValueError.
        record = from_json(_read_bytes(file))
    except ValueError as error:
        raise damaged(file, str(error)) from error
    if not isinstance(record, dict):
        raise damaged(file, "it holds no table")
    return record


def read_record(file: Path, adapter: TypeAdapter[Record]) -> Record:
    """A record in a file of JSON.

    Raises a DamagedError if the file holds no such record.
    """
    try:
        return adapter.validate_json(_read_bytes(file))
    except ValidationError as error:
        raise damaged(file, first_problem(error)) from error


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (IsADirectoryError, NotADirectoryError) as error:
        raise damaged(file, str(error.strerror)) from error


def file_digest(file: Path) -> str:
    """A hash of the content of a file; a DamagedError if it is missing."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise damaged(file, str(error.strerror)) from error


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_if_there(file: Path, adapter: TypeAdapter[Record]) -> Record | None:
    """The record in a file of JSON; None if there is no file, or another process removes it now."""
    try:
        return read_record(file, adapter)
    except FileNotFoundError:
        return None


def rename_aside(path: Path) -> None:
    """Put a file or folder where nobody looks for it."""
    if not path.exists():
        return
    name, number = path.name + ASIDE, 1
    while path.with_name(name).exists():
        number += 1
        name = f"{path.name}{ASIDE}-{number}"
    path.rename(path.with_name(name))

"""Files that a crash, a full disk or another process cannot leave half written: locks, lines, JSON.

Files of lines are only appended to; a line torn by a crash is dropped by the next writer and
skipped by readers. All other files are replaced as a whole. None of these makes a folder: where one
is gone, as with a share that is unmounted, that is an error and not a new folder.
"""

import errno
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from augbench.datasets.errors import UserError

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)  # of file systems that make none


class BusyError(UserError):
    """Another process does what is to be done."""


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
    """Append one record as a line; a torn line before it, left by a crash, is dropped.

    Raises a FileNotFoundError where the file is gone that it is not to make.
    """

    def opener(path: str, flags: int) -> int:
        return os.open(path, flags if makes_file else flags & ~os.O_CREAT, 0o666)  # as open() does

    with open(file, "ab+", opener=opener) as lines:
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
            except (ValueError, RecursionError) as error:
                raise _damaged(file, f"line {number}: {error}") from error


def write_json(file: Path, record: dict[str, Any]) -> None:
    """Replace a file of JSON as a whole, and bring it to the disk."""
    replace_json(file, record, sync=True)
    sync_folder(file.parent)


def write_json_once(file: Path, record: dict[str, Any], draft: Path) -> bool:
    """Bring a file of JSON to the disk unless there is one; returns whether it is this one.

    The draft becomes the file by a link, which never takes another file's place. A folder in the
    draft's place keeps the file from being made.
    """
    try:
        replace_json(draft, record, sync=True)
        os.link(draft, file)
    except OSError as error:
        if draft.is_dir():
            return False
        if file.exists():  # this one, where a server has made the link and its answer was lost
            return draft.exists() and file.samefile(draft)
        if error.errno not in _NO_LINKS:
            raise
        draft.replace(file)
    draft.unlink(missing_ok=True)
    sync_folder(file.parent)
    return True


def replace_json(file: Path, record: dict[str, Any], *, sync: bool = False) -> None:
    """Replace a file of JSON as a whole; without ``sync`` a power cut may lose it."""
    replace_text(file, json.dumps(record, indent=1) + "\n", sync=sync)


def replace_text(file: Path, content: str, *, sync: bool = False) -> None:
    """Replace a file as a whole; without ``sync`` a power cut may lose it."""
    # Processes of two machines may have the same number.
    draft = file.with_name(f".{file.name}.{platform.node()}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as text:
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
        record = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(file, str(error)) from error
    if not isinstance(record, dict):
        raise _damaged(file, "it holds no table")
    return record


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

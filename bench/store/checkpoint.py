"""Checkpoints: written atomically, two kept, checked on reading, and never a pickle."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from augbench.bench.store.attempt_directory import CHECKPOINTS
from augbench.bench.store.files import DamagedError, damaged, sync_folder
from augbench.datasets.errors import UserError

SCHEMA = 1
_MAGIC = b"augbench-checkpoint"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write ``last.pt``; the former one becomes ``previous.pt``. One of them is always whole."""
    write(folder / "new.pt", state)
    last = folder / "last.pt"
    if last.exists():
        last.replace(folder / "previous.pt")
    (folder / "new.pt").replace(last)
    sync_folder(folder)


class Loaded(NamedTuple):
    """A checkpoint, and the folder in which it was found."""

    state: dict[str, Any]
    folder: Path


def load(folders: Iterable[Path]) -> Loaded | None:
    """The newest whole checkpoint in folders, the newest folder first; None if there is none.

    Raises a DamagedError if all checkpoints are damaged, a UserError if a newer version wrote one.
    """
    problems = []
    for folder in folders:
        for name in CHECKPOINTS:
            try:
                return Loaded(read(folder / name), folder)
            except FileNotFoundError:
                continue
            except DamagedError as error:
                problems.append(str(error))
    if problems:
        raise DamagedError(f"no whole checkpoint is left: {'; '.join(problems)}")
    return None


def link_or_copy(source: Path, file: Path) -> None:
    """Give a file a second name, or make a copy if the file system makes no links."""
    try:
        os.link(source, file)
    except OSError:
        draft = file.with_name(f"new-{file.name}")
        try:
            shutil.copyfile(source, draft)
            with draft.open("rb") as copy:
                os.fsync(copy.fileno())
            draft.replace(file)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def write(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain data to a file, with a checksum, and bring it to the disk."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest().encode()
    try:
        with path.open("wb") as file:
            file.write(b"%s %d %s\n" % (_MAGIC, SCHEMA, digest))
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)  # it would keep a full disk full
        raise


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote; tensors come on the CPU.

    Raises DamagedError if the content has changed, UserError if a newer version wrote it.
    """
    try:
        header, _, payload = path.read_bytes().partition(b"\n")
    except (IsADirectoryError, NotADirectoryError) as error:
        raise damaged(path, str(error.strerror)) from error
    if hashlib.sha256(payload).hexdigest() != _payload_digest(header, path):
        raise damaged(path, "checksum")
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    return state


def payload_digest(path: Path) -> str:
    """The checksum in the first line of a file, without a look at the rest of it.

    Raises DamagedError if it has no such line, UserError if a newer version wrote it.
    """
    try:
        with path.open("rb") as file:
            return _payload_digest(file.readline(200).rstrip(b"\n"), path)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise damaged(path, str(error.strerror)) from error


def _payload_digest(header: bytes, path: Path) -> str:
    fields = header.split(b" ")
    if len(fields) != 3 or fields[0] != _MAGIC or not fields[1].isdigit() or len(fields[1]) > 9:
        raise damaged(path, "no header")
    if int(fields[1]) > SCHEMA:
        raise UserError(
            f"{path} has schema {int(fields[1])}, this version reads up to {SCHEMA}: "
            "update augbench"
        )
    return fields[2].decode(errors="replace")


def is_whole(path: Path) -> bool:
    """Whether the content of a file is what was written; reads all of it."""
    try:
        expected = payload_digest(path)
        with path.open("rb") as file:
            file.readline(200)
            return hashlib.file_digest(file, "sha256").hexdigest() == expected
    except DamagedError:
        return False


def holds_weights(path: Path, digest: str) -> bool:
    """Whether a file is whole and holds the weights with a digest."""
    try:
        state = read(path)
    except (FileNotFoundError, DamagedError):
        return False
    return bool(state["digest"] == digest == weights_digest(state["weights"]))


def weights_digest(state: dict[str, torch.Tensor]) -> str:
    """A hash of a state dict, equal for weights that are equal to the last bit."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]

"""Checkpoints: written atomically, two kept, checked on reading, and never a pickle."""

import hashlib
import io
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch

from augbench.bench.store.files import sync_folder
from augbench.bench.store.run_directory import CHECKPOINTS
from augbench.datasets.errors import UserError

SCHEMA = 1
_MAGIC = b"augbench-checkpoint"


def save(folder: Path, state: dict[str, Any]) -> None:
    """Write ``last.pt``, its former self becomes ``previous.pt``; at any moment one is whole."""
    write(folder / "new.pt", state)
    last = folder / "last.pt"
    if last.exists():
        last.replace(folder / "previous.pt")
    (folder / "new.pt").replace(last)
    sync_folder(folder)


class Loaded(NamedTuple):
    """A checkpoint, and the folder that it was found in."""

    state: dict[str, Any]
    folder: Path


def load(folders: Iterable[Path]) -> Loaded | None:
    """The newest checkpoint that is whole, of folders from the newest on; None where none was ever.

    Raises a UserError if all that are there are damaged, or were written by a newer version.
    """
    damaged = []
    for folder in folders:
        for name in CHECKPOINTS:
            try:
                return Loaded(read(folder / name), folder)
            except FileNotFoundError:
                continue
            except DamagedError as error:
                damaged.append(str(error))
    if damaged:
        raise UserError(
            f"{'; '.join(damaged)}: no whole checkpoint is left; remove what is damaged to start "
            "this unit afresh"
        )
    return None


def link_or_copy(source: Path, file: Path) -> None:
    """Give a file a second name; a copy of it, where the file system makes no links."""
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


class DamagedError(Exception):
    """A file of tensors that is not what was written."""


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
        path.unlink(missing_ok=True)  # on a full disk it would keep the disk full
        raise


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote; tensors come on the CPU.

    Raises DamagedError if the bytes are others, UserError if a newer version wrote them.
    """
    header, _, payload = path.read_bytes().partition(b"\n")
    fields = header.split(b" ")
    if len(fields) != 3 or fields[0] != _MAGIC or not fields[1].isdigit():
        raise DamagedError(f"{path} is damaged (no header)")
    if int(fields[1]) > SCHEMA:
        raise UserError(
            f"{path} has schema {int(fields[1])}, this version reads up to {SCHEMA}: "
            "update augbench"
        )
    if hashlib.sha256(payload).hexdigest().encode() != fields[2]:
        raise DamagedError(f"{path} is damaged (checksum)")
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    return state


def weights_digest(state: dict[str, torch.Tensor]) -> str:
    """A hash of a state dict, equal for weights that are equal to the last bit."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]

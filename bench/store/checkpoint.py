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
from augbench.bench.store.checksum import is_whole, payload_start, write_checked
from augbench.bench.store.files import DamagedError, damaged, sync_folder


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
    """Write tensors and plain data to a file, with a checksum, and bring it to the disk.

    ``torch.load(path, weights_only=True)`` reads it.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    try:
        with path.open("wb") as file:
            write_checked(file, buffer.getvalue())
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)  # it would keep a full disk full
        raise


def read(path: Path) -> dict[str, Any]:
    """What `write` wrote; tensors come on the CPU.

    Raises DamagedError if the content has changed, UserError if a newer version wrote it.
    """
    if not is_whole(path):
        raise damaged(path, "checksum")
    with path.open("rb") as file:
        file.seek(payload_start(path))
        content = io.BytesIO(file.read())
    state: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
    return state


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

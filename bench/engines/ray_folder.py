"""The temporary folder of a Ray that we start: private, and locked for as long as its driver lives.

Ray gives everyone all rights to its folders and sockets. They lie below a folder that only the
user can enter, so that nobody else reaches them.
"""

import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO

from augbench.datasets.errors import UserError, system_error

PARENT = Path("/tmp")  # a path of a socket has 107 bytes at most, and TMPDIR may be long
_NAME = re.compile(r"augbench-ray-[a-z0-9_]{8}")


class RayFolder:
    """A folder of this process, removed by `remove` or by a later driver after a crash."""

    def __init__(self, parent: Path | None = None) -> None:
        parent = parent or PARENT
        try:
            remove_abandoned(parent)
            # The name is final only once the lock is held: no other driver sees it without.
            draft = Path(tempfile.mkdtemp(prefix=".augbench-ray-", dir=parent))  # mode 0700
            self._lock = (draft / "lock").open("w", encoding="utf-8")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self.path = draft.rename(parent / draft.name.removeprefix("."))
            (self.path / "r").mkdir()
        except OSError as error:
            raise UserError(
                f"Ray needs a folder in {parent}, and it cannot be made ({system_error(error)}): "
                "make room there, or use --engine inline"
            ) from None

    @property
    def for_ray(self) -> Path:
        """The folder inside that Ray may use as it likes."""
        return self.path / "r"

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.close()


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of drivers that were killed.

    The lock decides, and no process number: a driver in another container has numbers of its own.
    """
    for folder in parent.glob("augbench-ray-*"):
        if not _NAME.fullmatch(folder.name):
            continue
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            with (folder / "lock").open("r+", encoding="utf-8") as lock:
                if _is_free(lock):
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # another driver removes it, or it is none of ours
            continue


def _is_free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

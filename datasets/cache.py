"""Prepared arrays on disk: one process builds them, and all processes of a machine map them.

An entry of the cache is a folder of .npy files, with an index that holds the key, sizes and
checksums. A folder is first written under another name and then renamed, so nobody reads half of
one.
"""

import errno
import json
import os
import shutil
import time
import warnings
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.blocks import Blocks, whole
from augbench.datasets.errors import UserError, UserNotice, system_error

Arrays = dict[str, NDArray[Any]]


class CacheError(UserError):
    """The cache cannot be written: whatever is prepared next cannot be kept either."""


LAYOUT = 2  # of an entry; 1 was one .npz file
INDEX = "index.json"
PART = ".part"  # ends the name of an entry that is being written
ABANDONED_SECONDS = 24 * 3600.0  # age of a part whose process must have been killed
CHUNK = 1 << 20  # bytes


def cached(
    name: str,
    key: str,
    keys: tuple[str, ...],
    build: Callable[[], Mapping[str, NDArray[Any] | Blocks]],
    *,
    reads_all: bool = True,
) -> Arrays:
    """Map the arrays of ``build`` from disk; build them first if they are not there.

    ``key`` is a text of all that they depend on, ``keys`` are their names. Writing into a mapped
    array changes neither the file nor other processes. Arrays are written in the order of
    ``build``. A damaged or foreign entry is built again; if it cannot be replaced, a UserNotice
    says so. Without ``reads_all``, files whose size and time are as they were written are taken for
    whole: to read gigabytes takes longer than a start may. Raises CacheError when the folder
    cannot be written.
    """
    text = f"{LAYOUT} {key}"
    entry = cache_folder() / f"{name}-{sha256(text.encode()).hexdigest()[:16]}"
    arrays = _open(entry, text, keys, reads_all=reads_all)
    if arrays is not None:
        return arrays
    built = build()
    part = entry.with_name(f"{entry.name}-{uuid4().hex[:8]}{PART}")
    try:
        _remove_abandoned(entry.parent)
        _check_room(entry.parent, built)
        _write(part, text, built, with_times=not reads_all)
        arrays = _open(part, text, keys)  # which stay mapped when their files are removed
        if arrays is None:
            raise OSError(errno.EIO, "what was written cannot be read back", str(part))
        if _publish(part, entry, text, keys):
            arrays = {name: _map(entry / f"{name}.npy") for name in keys}
    except OSError as error:
        raise CacheError(
            f"cannot write the cache folder {entry.parent} ({system_error(error)}): make room, or "
            "set AUGBENCH_CACHE to a folder that can be written"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return arrays


def cache_folder() -> Path:
    """AUGBENCH_CACHE, or the place where this system keeps caches."""
    given = os.environ.get("AUGBENCH_CACHE")
    if given:
        return Path(given)
    import pooch  # heavy, and not needed where the variable is set

    return Path(pooch.os_cache("augbench"))


def files_key(files: list[Path]) -> str:
    """Names, sizes and times of files: changes when one of them does."""
    stats = [(file.parent.name, file.name, file.stat()) for file in files]
    return repr([(parent, name, s.st_size, s.st_mtime_ns) for parent, name, s in stats])


def _open(
    entry: Path, text: str, keys: tuple[str, ...], *, reads_all: bool = True
) -> Arrays | None:
    """The arrays of an entry; None where it is not there, damaged, or of another key."""
    try:
        index = json.loads((entry / INDEX).read_text(encoding="utf-8"))
        if index["key"] != text:
            return None
        for name, known in index["files"].items():
            file = entry / f"{name}.npy"
            if not reads_all and [known[0], *known[2:]] == _size_and_time(file):
                continue
            if [*_checksum(file)] != known[:2]:
                return None
        return {name: _map(entry / f"{name}.npy") for name in keys}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError):
        return None


def _map(path: Path) -> NDArray[Any]:
    """An .npy file, mapped copy-on-write, because torch wants arrays that can be written."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except ValueError:  # an empty array cannot be mapped
        array = np.load(path, allow_pickle=False)
    return array


def _write(
    folder: Path, text: str, arrays: Mapping[str, NDArray[Any] | Blocks], *, with_times: bool
) -> None:
    # Not with `tempfile`: only the owner can read its folders, and users share caches.
    folder.mkdir(parents=True)
    files = {}
    for name, array in arrays.items():
        blocks = array if isinstance(array, Blocks) else whole(array)
        path = folder / f"{name}.npy"
        size, checksum = _write_array(path, blocks)
        files[name] = [size, checksum, *(_size_and_time(path)[1:] if with_times else [])]
    (folder / INDEX).write_text(json.dumps({"key": text, "files": files}), encoding="utf-8")


def _write_array(path: Path, array: Blocks) -> tuple[int, int]:
    """Write an .npy file block by block; its size and checksum."""
    described = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, described)
    size, checksum = header.tell(), zlib.crc32(header.getvalue())
    with path.open("wb") as file:
        file.write(header.getvalue())
        for block in array.blocks:
            content = np.ascontiguousarray(block).data
            file.write(content)
            size, checksum = size + content.nbytes, zlib.crc32(content, checksum)
    return size, checksum


def _size_and_time(path: Path) -> list[int]:
    """Bytes, and nanoseconds since 1970 of the last change."""
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _checksum(path: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file; 480 MB take 0.2 s from memory."""
    size = checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            checksum = zlib.crc32(chunk, checksum)
    return size, checksum


def _publish(part: Path, entry: Path, text: str, keys: tuple[str, ...]) -> bool:
    """Give a finished part its name, unless another was first; True if the entry is good then."""
    with suppress(OSError):
        part.rename(entry)
        return True
    if _open(entry, text, keys) is not None:
        return True
    trash = part.with_name(f"{part.name}-old{PART}")
    try:
        entry.rename(trash)
        part.rename(entry)
    except OSError as error:
        warnings.warn(
            f"{entry} in the cache is damaged and cannot be replaced ({system_error(error)}), so "
            "its data are prepared anew by each process: delete it",
            UserNotice,
            stacklevel=4,
        )
        return False
    _remove(trash)
    return True


def _check_room(folder: Path, arrays: Mapping[str, NDArray[Any] | Blocks]) -> None:
    """Raise OSError rather than fill a disk that others write to as well."""
    folder.mkdir(parents=True, exist_ok=True)
    n_bytes = sum(int(a.n_bytes if isinstance(a, Blocks) else a.nbytes) for a in arrays.values())
    if shutil.disk_usage(folder).free < 1.1 * n_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _remove_abandoned(folder: Path) -> None:
    """Remove the parts that killed processes have left."""
    for part in folder.glob(f"*{PART}"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > ABANDONED_SECONDS:
                _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

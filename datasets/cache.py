"""Preprocessed arrays on disk, so that every worker process need not preprocess anew."""

import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.errors import UserError

Arrays = dict[str, NDArray[np.generic]]

TORN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def cached(name: str, key: str, keys: tuple[str, ...], build: Callable[[], Arrays]) -> Arrays:
    """The arrays that ``build`` gives, from disk if they were built before.

    ``key`` says all that they depend on, ``keys`` names them. A file that cannot be read or lacks
    an array is built again. Written under another name first, so that no reader sees half a file.
    Raises UserError when the folder cannot be written.
    """
    path = cache_folder() / f"{name}-{sha256(key.encode()).hexdigest()[:16]}.npz"
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {each: stored[each] for each in keys}
        except TORN:
            pass  # torn by a full disk or a crash: what is built below replaces it
    arrays = build()
    try:
        _write(path, arrays)
    except OSError as error:
        raise UserError(
            f"cannot write the cache folder {path.parent} ({error.strerror}): "
            "set AUGBENCH_CACHE to a folder that can be written"
        ) from error
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


def _write(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub mistakes the names for options
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)

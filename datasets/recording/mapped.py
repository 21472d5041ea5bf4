"""Windows of many files as one array, of which no process holds a copy."""

import ctypes
import mmap
from collections.abc import Sequence
from math import prod
from typing import Any
from weakref import finalize

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Floats = NDArray[np.float32]

FIXED = 0x10  # MAP_FIXED, which Python's mmap does not name; the same on Linux and macOS
HEADER = 128  # bytes of an .npy file before its data


def row_length(shape: tuple[int, ...]) -> int:
    """Numbers of a row in a file: those of a window, and so many more that rows are whole pages.

    Behind each window at least the length of a header is free: see `join`.
    """
    n_bytes = 4 * prod(shape) + HEADER
    return -(-n_bytes // mmap.PAGESIZE) * mmap.PAGESIZE // 4


def join(arrays: Sequence[NDArray[Any]], shape: tuple[int, ...]) -> Floats:
    """(N_i, row_length), mapped .npy files -> (N, *shape), their windows one after another.

    The system maps one file behind the other into one range of addresses. So any choice of nights
    is an array, all processes of a machine share its memory, and nothing is copied. A file begins
    with a header, by which all its rows are shifted: the first page of a file replaces the last
    bytes of the row before, where `row_length` has left room. Where a system cannot do this, the
    windows are copied.
    """
    n, width = sum(len(array) for array in arrays), row_length(shape)
    assert all(array.shape[1] == width for array in arrays)
    files = [array for array in arrays if len(array)]
    flat = _map(files, n * 4 * width)
    if flat is None:
        rows = np.concatenate([array[:, : prod(shape)] for array in arrays])
        return rows.reshape(n, *shape)
    strides = [4 * prod(shape[k + 1 :]) for k in range(len(shape))]
    return as_strided(flat, (n, *shape), (4 * width, *strides))


def _map(files: Sequence[NDArray[Any]], n_bytes: int) -> Floats | None:
    """All files in one range, as numbers from the first row on; None where it is not possible."""
    mapped = [file for file in files if isinstance(file, np.memmap) and file.offset == HEADER]
    if not n_bytes or len(mapped) < len(files):
        return None
    try:
        library = ctypes.CDLL(None, use_errno=True)
        reserve, release = library.mmap, library.munmap
    except (OSError, AttributeError, TypeError):  # no such calls on this system
        return None
    reserve.restype = ctypes.c_void_p
    reserve.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    release.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    failed = ctypes.c_void_p(-1).value
    # One page more: the last row ends behind its file's header.
    length = n_bytes + mmap.PAGESIZE
    # Copy on write, because torch wants arrays that can be written.
    access = mmap.PROT_READ | mmap.PROT_WRITE
    start = reserve(None, length, access, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    if start in (failed, None):
        return None
    place = start
    for file in mapped:
        size = file.shape[0] * file.strides[0]
        try:
            with open(str(file.filename), "rb") as opened:  # noqa: PTH123
                found = reserve(place, size, access, mmap.MAP_PRIVATE | FIXED, opened.fileno(), 0)
        except OSError:  # it was removed from the cache in the meantime
            found = failed
        if found != place:
            release(start, length)
            return None
        place += size
    memory = (ctypes.c_float * (n_bytes // 4)).from_address(start + HEADER)
    # Not at the end of the program, where others may still read.
    finalize(memory, release, start, length).atexit = False
    return np.ctypeslib.as_array(memory)

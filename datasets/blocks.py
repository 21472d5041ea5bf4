"""Arrays in blocks of rows, so that no process has to hold a whole one in memory."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 2 << 20  # standardising needs a few float64 copies of a block


class Blocks(NamedTuple):
    """An array as an iterable of its blocks along the first axis."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    blocks: Iterable[NDArray[Any]]

    @property
    def n_bytes(self) -> int:
        n = self.dtype.itemsize
        for length in self.shape:
            n *= length
        return n


def whole(array: NDArray[Any]) -> Blocks:
    """An array in memory as one block."""
    return Blocks(array.shape, array.dtype, (array,))


def gather(array: np.memmap[Any, Any], rows: NDArray[np.int64]) -> Blocks:
    """Some rows of a mapped array; it is mapped anew for each block, which frees its pages."""

    def blocks() -> Iterator[NDArray[Any]]:
        n = rows_per_block(array.shape[1:], array.dtype)
        for start in range(0, len(rows), n):
            mapped: NDArray[Any] = array
            with suppress(OSError):  # where the file was removed, the old map is still good
                mapped = np.memmap(str(array.filename), array.dtype, "r", array.offset, array.shape)
            yield mapped[rows[start : start + n]]

    return Blocks((len(rows), *array.shape[1:]), array.dtype, blocks())


def collect(array: Blocks) -> NDArray[Any]:
    """The whole array, in memory."""
    out = np.empty(array.shape, array.dtype)
    start = 0
    for block in array.blocks:
        out[start : start + len(block)] = block
        start += len(block)
    assert start == len(out)
    return out


def rows_per_block(row_shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """How many rows a block holds, one at least."""
    return max(1, BLOCK_BYTES // max(1, Blocks(row_shape, dtype, ()).n_bytes))

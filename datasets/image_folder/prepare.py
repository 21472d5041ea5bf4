"""The images of a list of files as one array, read block by block by several threads."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.blocks import Blocks, rows_per_block
from augbench.datasets.cache import cached
from augbench.datasets.errors import UserError, listed
from augbench.datasets.image_folder.decode import ImageError, quiet, read_header, read_image

VERSION = 1  # raise it when a change of this code changes what is read
AT_ONCE = 256  # files, of which each gives a few numbers
MOST_FILES = 3  # in a message
MOST_SIZES = 5
MOST_PIXELS = 4096  # of a side; no trunk here takes more

Result = TypeVar("Result")


def files_digest(files: Sequence[Path]) -> str:
    """Changes with the path, the size or the time of a file."""
    digest = sha256(str(VERSION).encode())
    for file in files:
        found = file.stat()
        digest.update(f"{file.resolve()} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def read_headers(files: Sequence[Path], folder: Path, key: str) -> NDArray[np.int32]:
    """(N, 3): height, width, and 1 for grey. UserError: the files that cannot be read.

    ``key`` is the digest of the files, by which the numbers are kept in the cache.
    """

    def build() -> dict[str, NDArray[np.int32]]:
        found, broken = [], []
        for start in range(0, len(files), AT_ONCE):
            some = files[start : start + AT_ONCE]
            for file, header in zip(some, _all(some, read_header), strict=True):
                if isinstance(header, ImageError):
                    broken.append((file, header))
                else:
                    found.append(header)
        _check_broken(broken, len(files), folder)
        return {"headers": np.array(found, dtype=np.int32)}

    return cached("image-headers", key, ("headers",), build)["headers"]


def one_size(
    headers: NDArray[np.int32], asked: int | tuple[int, int] | None, folder: Path
) -> tuple[int, int]:
    """Height and width of all images: those asked for, or the only ones that there are."""
    if asked is not None:
        height, width = (asked, asked) if isinstance(asked, int) else asked
        if not 1 <= min(height, width) <= max(height, width) <= MOST_PIXELS:
            raise UserError(f"size is {asked}; it has to be pixels, from 1 to {MOST_PIXELS}")
        return height, width
    sizes, counts = np.unique(headers[:, :2], axis=0, return_counts=True)
    if len(sizes) > 1:
        order = np.argsort(-counts, kind="stable")
        usual = [f"{sizes[k, 0]} x {sizes[k, 1]} ({counts[k]})" for k in order]
        raise UserError(
            f"the images under {folder} have {len(sizes)} sizes (height x width, how many): "
            f"{listed(usual, MOST_SIZES)}: give the option size, such as size = "
            f"{fitting_side(headers)}, to which all are resized"
        )
    return int(sizes[0, 0]), int(sizes[0, 1])


def fitting_side(headers: NDArray[np.int32]) -> int:
    """A side in pixels that trunks can take and that loses little: 8, 16, 32 or 64."""
    usual = float(np.median(headers[:, :2].min(1)))
    return max((side for side in (8, 16, 32, 64) if side <= 1.25 * usual), default=8)


def image_blocks(
    files: Sequence[Path], size: tuple[int, int], *, grey: bool, folder: Path
) -> Blocks:
    """x (N, C, H, W) in [0, 1]; after the last block a UserError names files that are damaged."""
    row = (1 if grey else 3, *size)
    dtype = np.dtype(np.float32)

    def blocks() -> Iterator[NDArray[np.float32]]:
        broken = []
        n = max(os.cpu_count() or 1, rows_per_block(row, dtype))
        for start in range(0, len(files), n):
            some = files[start : start + n]
            block = np.zeros((len(some), *row), dtype)
            read = _all(some, lambda file: read_image(file, size, grey=grey))
            for k, (file, image) in enumerate(zip(some, read, strict=True)):
                if isinstance(image, ImageError):
                    broken.append((file, image))
                else:
                    block[k] = image
            yield block
        _check_broken(broken, len(files), folder)

    return Blocks((len(files), *row), dtype, blocks())


def _all(files: Sequence[Path], read: Callable[[Path], Result]) -> list[Result | ImageError]:
    """What ``read`` gives for each file, or why it gives nothing."""

    def attempt(file: Path) -> Result | ImageError:
        try:
            return read(file)
        except ImageError as error:
            return error

    with quiet(), ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow leaves Python's lock
        return list(pool.map(attempt, files))


def _check_broken(broken: list[tuple[Path, ImageError]], n: int, folder: Path) -> None:
    if broken:
        named = [f"{_shown(file, folder)} ({why})" for file, why in broken]
        raise UserError(
            f"{len(broken)} of {n} images cannot be read: {', '.join(named[:MOST_FILES])}"
            f"{' and others' * (len(named) > MOST_FILES)}; save them again or move them away"
        )


def _shown(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder) if file.is_relative_to(folder) else file)

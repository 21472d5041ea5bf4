"""The windows or images of a file, checked and prepared block by block."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_file import ArrayFile, Described
from augbench.datasets.blocks import Blocks, collect, gather
from augbench.datasets.cache import Arrays, cached
from augbench.datasets.errors import UserError, counted
from augbench.datasets.options.tasks import Kind
from augbench.datasets.standardise import standardise
from augbench.datasets.task import Digest

VERSION = 1  # raise it when a change of this code changes what is prepared
# Bytes of x as float32. Smaller data are read in a moment, and each process has its own copy.
MAPPED_FROM = 16 << 20
NAME = "arrays"


class Examples(NamedTuple):
    """Prepared x, and the digest of all data."""

    x: NDArray[np.float32]  # (N, C, T) or (N, C, H, W); mapped from the cache where it is large
    fingerprint: str
    key: str  # of x in the cache; empty where x is in memory


class Preparation(NamedTuple):
    """What is done to x."""

    kind: Kind
    standardise: bool  # EEG only
    channels: tuple[int, ...] | None  # which, in this order; None is all


def check_header(x: Described, kind: Kind | None, where: str) -> Kind:
    """The kind of signal by the header of x; raises UserError where x can be neither kind."""
    by_axes: dict[int, Kind] = {3: "eeg", 4: "image"}
    found = by_axes.get(len(x.shape))
    if found is None or (kind is not None and kind != found):
        raise UserError(
            f"x in {where} has shape {x.shape}; EEG is (N, C, T) and images are (N, C, H, W)"
            + (f", and kind = {kind!r} was asked for" if kind else "")
            + _missing_axis(len(x.shape), kind)
        )
    if x.dtype.kind not in "fiu":
        raise UserError(f"x in {where} is of type {x.dtype}; it must hold real numbers")
    if 0 in x.shape:
        raise UserError(f"x in {where} has shape {x.shape}: there is nothing in it")
    if found == "image" and x.shape[1] not in (1, 3):
        raise UserError(
            f"x in {where} has shape {x.shape}, so {counted(x.shape[1], 'colour channel')}; images "
            "are (N, C, H, W) with C of 1 or 3: are the channels on the last axis?"
        )
    return found


def _missing_axis(n_axes: int, kind: Kind | None) -> str:
    """What to do with x that has one axis too few, in most cases that of a single channel."""
    if n_axes == 2 and kind != "image":
        return ": for one channel give x[:, None, :]"
    return ": for one channel give x[:, None]" if n_axes == 3 and kind == "image" else ""


def prepare_examples(
    file: ArrayFile,
    how: Preparation,
    rest: list[NDArray[Any]],
    about: str,
    *,
    keep: bool = False,
) -> Examples:
    """x as float32, EEG standardised if asked for, from the cache if it was prepared before.

    ``rest`` and ``about`` are what the fingerprint holds beside x. The cache holds a large x, and
    any with ``keep``. Raises UserError for NaN,
    infinite values, and images outside [0, 1].
    """
    shape = file.members["x"].shape
    if how.channels is not None:
        shape = (shape[0], len(how.channels), *shape[2:])
    digest = Digest(about)
    x = Blocks(shape, np.dtype(np.float32), _prepared(file, how, shape, digest))
    small = x.n_bytes < MAPPED_FROM
    if small and not keep:
        array = collect(x)
        return Examples(array, _finished(digest, rest), "")

    def hexadecimal() -> Iterator[NDArray[np.uint8]]:
        yield np.frombuffer(_finished(digest, rest).encode(), np.uint8)

    def build() -> dict[str, Blocks]:
        # In this order: the digest is whole when x has been written.
        return {"x": x, "fingerprint": Blocks((16,), np.dtype(np.uint8), hexadecimal())}

    key = repr((VERSION, file.key, how, about))
    stored = cached(NAME, key, ("x", "fingerprint"), build)
    fingerprint = stored["fingerprint"].tobytes().decode()
    return Examples(stored["x"], fingerprint, "" if small else key)


def map_parts(examples: Examples, parts: dict[str, NDArray[np.int64]]) -> Arrays | None:
    """Map the rows of each part of a fold from the cache, where all processes share them.

    None where the disk has no room for them or cannot be written.
    """
    x = examples.x
    assert isinstance(x, np.memmap)
    digest = Digest(examples.key)
    for rows in parts.values():
        digest.add(rows)
    key = f"{VERSION} {digest.hexadecimal()}"

    def build() -> dict[str, Blocks]:
        return {name: gather(x, rows) for name, rows in parts.items()}

    try:
        return cached(f"{NAME}-fold", key, tuple(parts), build)
    except UserError:  # the caller copies the rows into memory instead
        return None


def _prepared(
    file: ArrayFile, how: Preparation, shape: tuple[int, ...], digest: Digest
) -> Iterator[NDArray[np.float32]]:
    """Yield the prepared blocks of x; raise a UserError at the end if there is a fault in any."""
    digest.begin(np.dtype(np.float32), shape)
    n_bad = 0
    low, high = np.inf, -np.inf
    for block in file.blocks("x").blocks:
        picked = block if how.channels is None else block[:, how.channels]
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
            x = picked.astype(np.float32)
        bad = ~np.isfinite(x)
        if bad.any():
            n_bad += int(bad.reshape(len(x), -1).any(1).sum())
        elif not n_bad:
            low, high = min(low, float(x.min())), max(high, float(x.max()))
            prepared = standardise(x) if how.kind == "eeg" and how.standardise else x
            digest.update(prepared)
            yield prepared
    where = file.name
    if n_bad:
        raise UserError(
            f"x in {where} has NaN or infinite values in {n_bad} of {counted(shape[0], 'example')}"
        )
    if how.kind == "image" and (low < 0 or high > 1):
        raise UserError(f"images in {where} range from {low:g} to {high:g}; scale them to [0, 1]")


def _finished(digest: Digest, rest: list[NDArray[Any]]) -> str:
    for array in rest:
        digest.add(array)
    return digest.hexadecimal()

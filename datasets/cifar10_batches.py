"""Reads the batch files of CIFAR-10, which are pickles, without running any code in them."""

import pickle
from hashlib import md5
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.errors import UserError, counted, system_error

N_CLASSES = 10
SHAPE = (3, 32, 32)
N_VALUES = 3 * 32 * 32


class Batch(NamedTuple):
    """The content of one file."""

    images: NDArray[np.uint8]  # (N, 3, 32, 32), red, green, blue
    labels: NDArray[np.int64]  # (N,)
    checksum: str  # md5 of the file


def read_batch(path: Path) -> Batch:
    """Read the images and labels of a file that Python 2 or 3 wrote.

    Raises UserError for a file that is damaged, has other content, or names other functions.
    """
    where = path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read a batch of CIFAR-10 ({system_error(error)}): make the file readable"
        ) from error
    stored = _unpickle(content, where)
    images = _images(stored["data"], where)
    labels = _labels(stored["labels"], len(images), where)
    return Batch(images, labels, md5(content, usedforsecurity=False).hexdigest())


class _Stored:
    """Takes the place of numpy functions in a batch: it keeps their arguments and calls nothing."""

    args: tuple[Any, ...] = ()
    state: Any = None

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _latin1(text: str, encoding: str) -> bytes:
    """Decode bytes as Python 3 writes them into a pickle for Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"{encoding!r} is no encoding of a batch")
    return text.encode("latin1")


# All that the six files name. Python 2 wrote the official ones, without a codec, and with
# numpy.core, which is numpy._core in numpy 2.
_NAMED = {
    ("numpy.core.multiarray", "_reconstruct"): _Stored,
    ("numpy._core.multiarray", "_reconstruct"): _Stored,
    ("numpy", "ndarray"): _Stored,
    ("numpy", "dtype"): _Stored,
    ("_codecs", "encode"): _latin1,
}


class _Reader(pickle.Unpickler):
    """Finds the names that a batch needs, and no others. Strings of Python 2 become bytes."""

    def __init__(self, content: bytes, where: str) -> None:
        super().__init__(BytesIO(content), encoding="bytes")
        self.where = where

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMED:
            raise UserError(
                f"{self.where} names {module}.{name}, which is not run because it could be any "
                "code and no batch of CIFAR-10 needs it: delete the file and fetch the official one"
            )
        return _NAMED[module, name]


def _unpickle(content: bytes, where: str) -> dict[str, Any]:
    """The entries of a batch by name; data and labels are among them."""
    try:
        stored = _Reader(content, where).load()
    except UserError:
        raise
    except Exception as error:  # damaged bytes may cause any error
        raise UserError(
            f"{where} is no batch of CIFAR-10 or is cut off ({type(error).__name__}): delete it "
            "and fetch it again"
        ) from error
    if not isinstance(stored, dict):
        raise UserError(
            f"{where} holds no dictionary; a batch of CIFAR-10 is one, with data and labels"
        )
    entries = {_text(key): value for key, value in stored.items()}
    for key in ("data", "labels"):
        if key not in entries:
            raise UserError(
                f"{where} lacks {key!r}, which every batch of CIFAR-10 has; it holds "
                f"{', '.join(sorted(entries)) or 'nothing'}"
            )
    return entries


def _images(data: Any, where: str) -> NDArray[np.uint8]:
    """The stored array as numpy would restore it, (N, 3, 32, 32)."""
    match data:
        case _Stored(state=(_, tuple(shape), _Stored(args=(kind, *_)), bool(by_column), raw)):
            pass
        case _:
            raise UserError(f"data in {where} is no array; it must be one, uint8 and (N, 3072)")
    whole = all(type(length) is int and length > 0 for length in shape)
    if _text(kind) != "u1" or not whole or shape[1:] != (N_VALUES,):
        raise UserError(
            f"data in {where} is an array of type {_text(kind)} and shape {shape}; images of "
            f"CIFAR-10 are u1 (uint8) and (N, {N_VALUES})"
        )
    if not isinstance(raw, bytes) or len(raw) != shape[0] * N_VALUES:
        raise UserError(f"data in {where} has fewer or more bytes than its shape {shape} says")
    values = np.frombuffer(raw, np.uint8).reshape(shape, order="F" if by_column else "C")
    return values.reshape(-1, *SHAPE)


def _labels(labels: Any, n: int, where: str) -> NDArray[np.int64]:
    if not isinstance(labels, list) or any(type(label) is not int for label in labels):
        raise UserError(f"labels in {where} are no list of whole numbers, as CIFAR-10's are")
    if len(labels) != n:
        raise UserError(
            f"{where} has {counted(n, 'image')} and {counted(len(labels), 'label')}: fetch it again"
        )
    if min(labels) < 0 or max(labels) >= N_CLASSES:
        raise UserError(
            f"labels in {where} range from {min(labels)} to {max(labels)}; CIFAR-10's range from "
            f"0 to {N_CLASSES - 1}"
        )
    return np.array(labels, dtype=np.int64)


def _text(name: Any) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)

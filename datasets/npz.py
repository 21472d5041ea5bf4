"""Reads .npz files block by block, and checks what they claim before it allocates anything.

`numpy.load` allocates what a header claims, loads an array as a whole, and raises many kinds of
errors for damaged files.
"""

import math
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.blocks import Blocks, rows_per_block
from augbench.datasets.cache import files_key
from augbench.datasets.errors import UserError, system_error

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes
MOST_DEFLATE = 1032  # times that deflate can shrink at most
# A larger array that shrinks more than this is refused; recordings shrink two or three times.
MOST_RATIO = 100
FROM_BYTES = 64 << 20
ADVICE = "write it again with numpy.savez"
LONGEST_HEADER = 10_000  # characters, as numpy has it
LONGEST_TEXT = 4096  # bytes of one text in an array
CHUNK = 1 << 20  # bytes
END = struct.Struct("<4s4H2LH")  # the end of a zip: its fifth field counts the members
PASSES = 8  # over an array in Fortran order
MOST_AXES = 32  # as many as every numpy can have


class Member(NamedTuple):
    """An array of a file, as its checked header describes it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_column: bool  # in memory order of Fortran
    start: int  # bytes of the header
    checksum: int  # CRC-32


@dataclass(frozen=True)
class Npz:
    """A file whose headers have been read."""

    path: Path
    members: dict[str, Member]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def key(self) -> str:
        """Text that changes with the content, or with the size or the time of the file."""
        found = [(name, each.shape, each.checksum) for name, each in self.members.items()]
        return repr((files_key([self.path]), found))

    def read(self, name: str) -> NDArray[Any]:
        """`read_array`."""
        return read_array(self, name)

    def blocks(self, name: str) -> Blocks:
        """`read_blocks`."""
        return read_blocks(self, name)


def open_npz(path: Path) -> Npz:
    """Read the headers of all arrays, and no data.

    Raises UserError for a file that is not an .npz or is damaged, for objects and very
    long text, for encryption and unusual compression, and for headers that claim another size than
    the file holds.
    """
    members = {}
    with _archive(path) as archive:
        infos = archive.infolist()
        _check_count(path, len(infos))
        names = [info.filename for info in infos]
        if len(set(names)) < len(names):
            raise UserError(f"{path.name} holds two arrays of one name: {ADVICE}")
        for info in infos:
            if not info.filename.endswith(".npy"):
                raise UserError(
                    f"{path.name} holds {info.filename[:80]!r}, which is not an .npy array: "
                    f"{ADVICE}"
                )
            name = info.filename.removesuffix(".npy")
            where = f"{name[:80]} in {path.name}"
            _check_storage(info, path.stat().st_size, where)
            with archive.open(info) as file:
                members[name] = _read_header(file, info, where)
    return Npz(path, members)


def read_array(npz: Npz, name: str) -> NDArray[Any]:
    """Read a whole array, of which the caller has checked the shape.

    Raises UserError for data that are damaged.
    """
    member = npz.members[name]
    out = np.empty(member.shape, member.dtype, order="F" if member.by_column else "C")
    flat = out.reshape(-1, order="A").view(np.uint8) if out.size else np.empty(0, np.uint8)
    with _data(npz, name) as chunks:
        start = 0
        for chunk in chunks:
            flat[start : start + len(chunk)] = np.frombuffer(chunk, np.uint8)
            start += len(chunk)
    return out


def read_blocks(npz: Npz, name: str) -> Blocks:
    """Read an array block by block; the iterator raises UserError for damaged data.

    An array in Fortran order is read in up to 8 passes, each for an eighth of its rows or for 8
    blocks, whichever is more.
    """
    member = npz.members[name]
    n = rows_per_block(member.shape[1:], member.dtype)

    def passes() -> Iterator[NDArray[Any]]:
        n_rows = member.shape[0]
        step = max(8 * n, -(-n_rows // PASSES))
        for first in range(0, n_rows, step):
            some = _read_rows(npz, name, first, min(first + step, n_rows))
            for start in range(0, len(some), n):
                yield some[start : start + n].copy(order="K")  # a view would keep all rows alive
            del some

    def stream() -> Iterator[NDArray[Any]]:
        row_bytes = Blocks(member.shape[1:], member.dtype, ()).n_bytes
        with _data(npz, name, n * row_bytes) as chunks:
            for chunk in chunks:
                yield np.frombuffer(chunk, member.dtype).reshape(-1, *member.shape[1:])

    return Blocks(member.shape, member.dtype, passes() if member.by_column else stream())


def _read_rows(npz: Npz, name: str, first: int, last: int) -> NDArray[Any]:
    """Some rows of an array in Fortran order, in that order."""
    member = npz.members[name]
    out = np.empty((last - first, *member.shape[1:]), member.dtype, order="F")
    flat = out.reshape(last - first, -1, order="F")
    column_bytes = member.shape[0] * member.dtype.itemsize
    start = 0
    with _data(npz, name, max(1, CHUNK // column_bytes) * column_bytes) as chunks:
        for chunk in chunks:
            columns = np.frombuffer(chunk, member.dtype).reshape(-1, member.shape[0])
            flat[:, start : start + len(columns)] = columns[:, first:last].T
            start += len(columns)
    return out


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the file as a zip; any error that damaged bytes cause becomes a UserError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except UserError:
        raise
    except PermissionError as error:
        raise UserError(f"cannot read {path} ({system_error(error)}): make it readable") from error
    except Exception as error:  # zipfile raises a dozen kinds, from struct.error to IndexError
        raise UserError(
            f"{path.name} is no .npz file or is cut off ({type(error).__name__}): {ADVICE}"
        ) from error


@contextmanager
def _data(npz: Npz, name: str, chunk_bytes: int = CHUNK) -> Iterator[Iterator[bytes]]:
    """Read the data of an array in chunks of one size, of which the last may be shorter."""
    member = npz.members[name]
    left = Blocks(member.shape, member.dtype, ()).n_bytes
    with _archive(npz.path) as archive, archive.open(f"{name}.npy") as file:
        file.read(member.start)

        def chunks(left: int = left) -> Iterator[bytes]:
            while left > 0:
                chunk = file.read(min(left, chunk_bytes))
                if len(chunk) < min(left, chunk_bytes):
                    raise EOFError
                left -= len(chunk)
                yield chunk
            if file.read(1):  # only at the end is the checksum compared
                raise ValueError

        yield chunks()


def _check_count(path: Path, n_found: int) -> None:
    """Raise a UserError where the directory of a zip holds fewer members than its end says.

    Damage to the length of one entry hides the next ones, and zipfile does not notice: the groups
    would silently be gone.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END.size - 0xFFFF))
        tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    n_said = END.unpack_from(tail, start)[4]
    if n_said not in (n_found, 0xFFFF):
        raise UserError(
            f"{path.name} is damaged: {n_found} arrays are found of {n_said} that it says it "
            f"holds; {ADVICE}"
        )


def _check_storage(info: zipfile.ZipInfo, file_bytes: int, where: str) -> None:
    if info.flag_bits & 0x1:
        raise UserError(f"{where} is encrypted: write the file again with numpy.savez")
    if info.compress_type not in METHODS:
        raise UserError(
            f"{where} is compressed by method {info.compress_type} of zip; numpy reads "
            "files without compression or with deflate: write the file again with numpy.savez"
        )
    unpacked, packed = info.file_size, info.compress_size
    stored = info.compress_type == zipfile.ZIP_STORED
    if packed > file_bytes or unpacked > (packed if stored else MOST_DEFLATE * packed + CHUNK):
        raise UserError(
            f"{where} is said to be {unpacked} bytes, which {packed} bytes of the file cannot "
            f"hold: {ADVICE}"
        )
    if unpacked > max(FROM_BYTES, MOST_RATIO * packed):
        raise UserError(
            f"{where} unpacks to {unpacked / 1e6:,.0f} MB, {unpacked / packed:,.0f} times its size "
            "in the file, as no recording does: if it is what you mean, write it with numpy.savez, "
            "which does not compress"
        )


def _read_header(file: Any, info: zipfile.ZipInfo, where: str) -> Member:
    """Read the header of an array, and compare it with the size of the member."""
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, by_column, dtype = read(file, max_header_size=LONGEST_HEADER)
    except Exception as error:  # numpy evaluates the header as an expression of Python
        raise UserError(
            f"{where} is not an .npy array or is damaged ({type(error).__name__}): {ADVICE}"
        ) from error
    if dtype.hasobject:
        raise UserError(
            f"{where} holds pickled objects, which are not loaded because they can run any code: "
            "save plain numbers and text with numpy.savez"
        )
    if dtype.names or dtype.subdtype or not dtype.itemsize or dtype.itemsize > LONGEST_TEXT:
        raise UserError(
            f"{where} is of type {str(dtype)[:80]}; it must hold numbers, or text of at most "
            f"{LONGEST_TEXT // 4} characters"
        )
    start = file.tell()
    claimed = start + math.prod(shape) * dtype.itemsize
    if any(length < 0 for length in shape) or claimed != info.file_size:
        raise UserError(
            f"{where} is damaged: by its header it is {_text(shape)} of {dtype}, which are not the "
            f"{info.file_size} bytes that the file holds of it"
        )
    if len(shape) > MOST_AXES:
        raise UserError(f"{where} has {len(shape)} axes: {ADVICE}")
    return Member(tuple(shape), dtype, by_column, start, info.CRC)


def _text(shape: tuple[int, ...]) -> str:
    text = str(shape) if all(abs(length) < 10**18 for length in shape) else "huge"
    return text if len(text) <= 80 else f"{len(shape)} axes"

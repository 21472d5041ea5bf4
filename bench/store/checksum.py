"""A checksum inside a file of tensors, which torch and zip programs read past.

What `torch.save` writes is a zip archive. Its last two bytes are the length of a comment, 0 until
the checksum of all the bytes becomes that comment: "augbench-checkpoint 1 SHA256" and a line for
who looks into the file. So whoever has it can open it with ``torch.load``. Files of older versions
begin with the same words in a line instead, and are read too. Nothing here needs torch.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from augbench.bench.store.files import DamagedError, damaged
from augbench.datasets.errors import UserError

SCHEMA = 1
_MAGIC = b"augbench-checkpoint"
_NOTE = b"torch.load(file, weights_only=True) reads this file.\n"  # `unzip -z` shows it
_LONGEST = 200  # bytes of the first line, and more than those of the comment
_BLOCK = 1 << 20


def write_checked(file: IO[bytes], archive: bytes) -> None:
    """Write what `torch.save` wrote, with its checksum."""
    assert archive.endswith(b"\0\0"), "this is no zip archive without a comment"
    digest = hashlib.sha256(archive).hexdigest().encode()
    comment = b"%s %d %s\n%s" % (_MAGIC, SCHEMA, digest, _NOTE)
    file.write(memoryview(archive)[:-2])
    file.write(len(comment).to_bytes(2, "little") + comment)


def payload_digest(path: Path) -> str:
    """The checksum that a file says it has, without a look at the rest of it.

    Raises a DamagedError if it says none or is not there, a UserError if a newer version wrote it.
    """
    try:
        return _place(path).digest
    except FileNotFoundError as error:
        raise damaged(path, str(error.strerror)) from error


def is_whole(path: Path) -> bool:
    """Whether the content of a file has its checksum; reads all of it.

    Raises a FileNotFoundError, or a UserError if a newer version wrote it.
    """
    try:
        place = _place(path)
    except DamagedError:
        return False
    digest = hashlib.sha256()
    for block in _blocks(path, place.first, place.last):
        digest.update(block)
    if not place.first:
        digest.update(b"\0\0")
    return digest.hexdigest() == place.digest and place.note in (b"", _NOTE)


def payload_start(path: Path) -> int:
    """How many bytes of an older version's words stand before the archive of a whole file."""
    return _place(path).first


class _Place(NamedTuple):
    """The checksum, and which bytes it covers; in an archive with a comment two zeros follow."""

    digest: str
    first: int
    last: int
    note: bytes  # the rest of the comment


def _place(path: Path) -> _Place:
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST)
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST))
            tail = file.read()
    except (IsADirectoryError, NotADirectoryError) as error:
        raise damaged(path, str(error.strerror)) from error
    if line.startswith(_MAGIC):
        return _Place(_digest(line.removesuffix(b"\n"), path), len(line), size, b"")
    start = tail.rfind(_MAGIC)
    comment = tail[start:] if start >= 2 else b""
    if int.from_bytes(tail[start - 2 : start], "little") != len(comment):
        comment = b""
    words, _, note = comment.partition(b"\n")
    return _Place(_digest(words, path), 0, size - len(comment) - 2, note)


def _digest(words: bytes, path: Path) -> str:
    fields = words.split(b" ")
    number = fields[1] if len(fields) == 3 else b""
    schema = int(number) if number.isdigit() and len(number) <= 9 else 0
    if fields[0] != _MAGIC or schema < 1:
        raise damaged(path, "no checksum")
    if schema > SCHEMA:
        raise UserError(
            f"{path} has schema {schema}, this version reads up to {SCHEMA}: update augbench"
        )
    return fields[2].decode(errors="replace")


def _blocks(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            left -= len(block)
            yield block

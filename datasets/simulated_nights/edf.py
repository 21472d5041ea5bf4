"""Writes EDF+ files: signals, or a list of annotations.

Source: Kemp and Olivan 2003, European data format 'plus' (EDF+); https://www.edfplus.info/specs.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import count
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 32767  # of the numbers that a file holds, and minus the least
_CLOCK_BYTES = 16  # of a record: the annotation that holds its time, as in "+86370"
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_HEADER_BYTES = 256  # of the file, and again of each channel
_ANNOTATIONS = "EDF Annotations"


class Channel(NamedTuple):
    """A signal of a file: what is above ``limit`` or below ``-limit`` is cut off."""

    label: str
    samples_per_record: int
    limit: int = 500  # in ``unit``
    unit: str = "uV"
    transducer: str = ""


_CLOCK = Channel(_ANNOTATIONS, _CLOCK_BYTES // 2, LARGEST, "")


class Recording(NamedTuple):
    """What the header says of a recording. The subfields of both texts hold no spaces."""

    start: datetime  # in whole seconds
    patient: str  # code, sex, date of birth and name, X for what is unknown
    equipment: str  # administration code, technician and equipment


class Annotation(NamedTuple):
    """A text from ``onset`` on, in seconds from the start of the file, for ``duration`` seconds."""

    onset: float
    duration: float
    text: str


def write_signals(
    file: BinaryIO,
    recording: Recording,
    channels: Sequence[Channel],
    record_seconds: int,
    n_records: int,
    blocks: Iterable[Sequence[NDArray[Any]]],
) -> None:
    """Write a file of ``n_records`` records, of ``record_seconds`` each.

    A block holds the next samples of each channel, in its unit, for a whole number of records; what
    the blocks hold beyond the last record is left out. Raises OSError if the disk fails.
    """
    file.write(_header(recording, [*channels, _CLOCK], record_seconds, n_records))
    clocks = count(0, record_seconds)
    for block in blocks:
        columns = [_digital(x, channel) for x, channel in zip(block, channels, strict=True)]
        n = min(len(columns[0]), n_records)
        times = b"".join(_annotation(next(clocks), "").ljust(_CLOCK_BYTES, b"\0") for _ in range(n))
        columns.append(np.frombuffer(times, "<i2").reshape(n, -1))
        file.write(np.concatenate([column[:n] for column in columns], axis=1).tobytes())
        n_records -= n
        if not n_records:
            return
    raise AssertionError(f"the blocks ended {n_records} records too early")


def signals_bytes(channels: Sequence[Channel], n_records: int) -> int:
    """The size of a file of signals."""
    a_record = 2 * sum(channel.samples_per_record for channel in [*channels, _CLOCK])
    return _HEADER_BYTES * (2 + len(channels)) + n_records * a_record


def write_annotations(
    file: BinaryIO, recording: Recording, annotations: Iterable[Annotation]
) -> None:
    """Write a file that holds annotations alone, all in one record. Raises OSError."""
    texts = [_annotation(each.onset, each.text, each.duration) for each in annotations]
    content = b"".join([_annotation(0, ""), *texts])
    content += b"\0" * (len(content) % 2)
    only = Channel(_ANNOTATIONS, len(content) // 2, LARGEST, "")
    file.write(_header(recording, [only], 0, 1) + content)


def _header(
    recording: Recording, channels: Sequence[Channel], record_seconds: int, n_records: int
) -> bytes:
    start = recording.start
    day = f"{start.day:02d}-{_MONTHS[start.month - 1]}-{start.year}"
    whole = [
        ("0", 8),
        (recording.patient, 80),
        (f"Startdate {day} {recording.equipment}", 80),
        (f"{start:%d.%m.%y}", 8),
        (f"{start:%H.%M.%S}", 8),
        (str(_HEADER_BYTES * (1 + len(channels))), 8),
        ("EDF+C", 44),  # the records follow each other without gaps
        (str(n_records), 8),
        (str(record_seconds), 8),
        (str(len(channels)), 4),
    ]
    of_each = [
        ([c.label for c in channels], 16),
        ([c.transducer for c in channels], 80),
        ([c.unit for c in channels], 8),
        ([str(-c.limit) for c in channels], 8),
        ([str(c.limit) for c in channels], 8),
        ([str(-LARGEST) for _ in channels], 8),
        ([str(LARGEST) for _ in channels], 8),
        ([""] * len(channels), 80),  # filters
        ([str(c.samples_per_record) for c in channels], 8),
        ([""] * len(channels), 32),
    ]
    fields = [*whole, *((text, width) for texts, width in of_each for text in texts)]
    return b"".join(_field(text, width) for text, width in fields)


def _field(text: str, width: int) -> bytes:
    content = text.encode("ascii")
    assert len(content) <= width, f"{text!r} is longer than the {width} bytes of its field"
    return content.ljust(width)


def _annotation(onset: float, text: str, duration: float | None = None) -> bytes:
    lasts = "" if duration is None else f"\x15{_seconds(duration)}"
    return f"+{_seconds(onset)}{lasts}\x14{text}\x14\0".encode()


def _seconds(seconds: float) -> str:
    """In decimals without an exponent, and without zeros at the end."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".")


def _digital(x: NDArray[Any], channel: Channel) -> NDArray[np.int16]:
    """(n,) in the channel's unit -> (records, samples per record), as the file holds it."""
    scaled = np.rint(x * (LARGEST / channel.limit)).clip(-LARGEST, LARGEST)
    return scaled.astype("<i2").reshape(-1, channel.samples_per_record)

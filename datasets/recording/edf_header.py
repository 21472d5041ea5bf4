"""What MNE does not tell of an EDF or BDF file: its exact start, and whether it is whole."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple

from augbench.datasets.errors import UserError

SUFFIXES = (".edf", ".bdf")
LEAST_GAP = 1e-3  # seconds; below lie rounded onsets
FIXED = 256  # bytes of the header, and again of each channel
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
# In both texts of the header of a night that augbench simulate-nights has written.
SIMULATED = "Simulated"
ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)\x14")  # with which each record of EDF+ begins


class EdfHeader(NamedTuple):
    """The times and sizes of a file."""

    start: datetime | None  # of the first sample, to the fraction of a second; None if not known
    n_records: int  # that the header promises; -1 where the recorder was not stopped
    n_whole: int  # records that are there as a whole
    interrupted: bool  # EDF+D with a gap between records
    signals: tuple[str, ...]  # the names of the channels, without those of annotations
    is_simulated: bool

    @property
    def is_cut_off(self) -> bool:
        """Whether the file holds fewer records than its header promises."""
        return self.n_whole < self.n_records or self.n_records < 0


def read_edf_header(path: Path) -> EdfHeader:
    """Read the header and the onsets of the first and the last record.

    Raises UserError for a file that has no such header.
    """
    try:
        with path.open("rb") as file:
            head = file.read(FIXED)
            n_channels = int(head[252:256])
            body = file.read(FIXED * n_channels)
            labels = [_text(body, 16 * k, 16) for k in range(n_channels)]
            lengths = [int(body[216 * n_channels + 8 * k :][:8]) for k in range(n_channels)]
            sample_bytes = 3 if head[:1] == b"\xff" else 2
            record_bytes = sample_bytes * sum(lengths)
            n_records, seconds = int(head[236:244]), float(head[244:252])
            if record_bytes <= 0 or len(body) < FIXED * n_channels:
                raise ValueError("an empty record")
            start = FIXED * (n_channels + 1)
            n_whole = (path.stat().st_size - start) // record_bytes
            first = last = None
            noted = next((k for k, label in enumerate(labels) if label in ANNOTATIONS), None)
            if noted is not None and n_whole > 0:
                start += sample_bytes * sum(lengths[:noted])
                length = sample_bytes * lengths[noted]
                first = _onset(file, start, length)
                last = _onset(file, start + (n_whole - 1) * record_bytes, length)
    except (ValueError, OSError) as error:
        raise UserError(
            f"{path.name} is no EDF or BDF file, or is damaged ({type(error).__name__}: {error}): "
            "delete it or fetch it again"
        ) from error
    gap = 0.0 if first is None or last is None else last - first - (n_whole - 1) * seconds
    interrupted = head[192:197] in (b"EDF+D", b"BDF+D") and abs(gap) > LEAST_GAP
    signals = tuple(label for label in labels if label not in ANNOTATIONS)
    is_simulated = SIMULATED.encode() in head[8:168]
    return EdfHeader(
        _start(head, first or 0.0), n_records, n_whole, interrupted, signals, is_simulated
    )


def _text(content: bytes, start: int, length: int) -> str:
    return content[start : start + length].decode("latin-1").strip()


def _onset(file: BinaryIO, place: int, length: int) -> float | None:
    """Seconds from the start in the header to a record, as its first annotation says."""
    file.seek(place)
    found = ONSET.match(file.read(length))
    return float(found[1]) if found else None


def _start(head: bytes, first_onset: float) -> datetime | None:
    """Two digits of a year from 85 on are of the last century, by the specification."""
    try:
        day, month, year = (int(part) for part in _text(head, 168, 8).split("."))
        hour, minute, second = (int(part) for part in _text(head, 176, 8).split("."))
        whole = datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
        return whole + timedelta(seconds=first_onset)
    except (ValueError, OverflowError):  # an anonymised date, or an onset of no time at all
        return None

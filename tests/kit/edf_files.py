"""Writes EDF+ files by the specification, whole ones and odd ones, for tests of what reads them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Note = tuple[float, float, str]  # onset and duration in seconds, and a text
START = datetime(2020, 1, 31, 22, 15, 0)
DIGITAL = 32767
TAL = "EDF Annotations"


def write_edf(
    path: Path,
    signals: Mapping[str, NDArray[np.float64]],
    rate: float | Mapping[str, float] = 100.0,
    notes: Sequence[Note] = (),
    *,
    start: datetime = START,
    record_seconds: float = 1.0,
    n_records: int | None = None,
    interrupted_at: Sequence[float] = (),
    encoding: str = "utf-8",
) -> Path:
    """Write signals in microvolts, whole records of them, and annotations.

    The microseconds of ``start`` become the fraction of a second in the first record, as EDF+ asks.
    ``n_records`` is what the header claims, by default the truth. ``interrupted_at`` are the onsets
    of the records of an EDF+D file.
    """
    rates = rate if isinstance(rate, Mapping) else dict.fromkeys(signals, rate)
    lengths = {name: round(rates[name] * record_seconds) for name in signals}
    counts = [len(x) // lengths[name] for name, x in signals.items()]
    n = min(counts) if counts else 1
    fraction = start.microsecond / 1e6
    onsets = list(interrupted_at) or [fraction + k * record_seconds for k in range(n)]
    texts = [f"+{onset:.7g}\x14\x14\0".encode() for onset in onsets[:n]]
    texts[0] += b"".join(_tal(note, fraction, encoding) for note in notes)
    tal_bytes = max(2 * (max(map(len, texts)) // 2 + 1), 16)

    labels = [*signals, TAL]
    tops = [max(float(np.abs(x).max()), 1.0) for x in signals.values()]
    columns: list[tuple[int, list[str]]] = [
        (16, labels),
        (80, [""] * len(labels)),
        (8, ["uV"] * len(signals) + [""]),
        (8, [f"{-top:.7g}"[:8] for top in tops] + ["-1"]),
        (8, [f"{top:.7g}"[:8] for top in tops] + ["1"]),
        (8, [str(-DIGITAL)] * len(labels)),
        (8, [str(DIGITAL)] * len(labels)),
        (80, [""] * len(labels)),
        (8, [*(str(lengths[name]) for name in signals), str(tal_bytes // 2)]),
        (32, [""] * len(labels)),
    ]
    head = "".join(
        text.ljust(width)
        for width, text in (
            (8, "0"),
            (80, "X X X X"),
            (80, f"Startdate {start:%d-%b-%Y} X X X".upper().replace("STARTDATE", "Startdate")),
            (16, f"{start:%d.%m.%y%H.%M.%S}"),
            (8, str(256 * (len(labels) + 1))),
            (44, "EDF+D" if interrupted_at else "EDF+C"),
            (8, str(n if n_records is None else n_records)),
            (8, f"{record_seconds:g}" if signals else "0"),
            (4, str(len(labels))),
        )
    )
    body = "".join(text.ljust(width) for width, column in columns for text in column)
    parts = [
        np.round(x[: n * lengths[name]] / float(f"{top:.7g}"[:8]) * DIGITAL)
        .astype("<i2")
        .reshape(n, -1)
        .view(np.uint8)
        for (name, x), top in zip(signals.items(), tops, strict=True)
    ]
    tals = np.frombuffer(b"".join(text.ljust(tal_bytes, b"\0") for text in texts), np.uint8)
    records = np.concatenate([*parts, tals.reshape(n, tal_bytes)], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((head + body).encode("ascii") + records.tobytes())
    return path


def _tal(note: Note, fraction: float, encoding: str) -> bytes:
    """A timestamped annotation; its onset counts from the whole second in the header."""
    onset, seconds, text = note
    length = f"\x15{seconds:.7g}" if seconds else ""
    return f"{onset + fraction:+.9g}{length}\x14".encode() + text.encode(encoding) + b"\x14\0"


def write_bdf(file: Path, edf: Path) -> Path:
    """An EDF+ file with a third byte for each sample."""
    content = edf.read_bytes()
    n_channels = int(content[252:256])
    size = 256 * (n_channels + 1)
    head = bytearray(content[:size])
    head[:8] = b"\xffBIOSEMI"
    head[192:197] = b"BDF+C"
    label = 256 + 16 * (n_channels - 1)
    head[label : label + 16] = b"BDF Annotations "
    start = 256 + 216 * n_channels + 8 * (n_channels - 1)
    length = int(head[start : start + 8])
    n_tal = 2 * length
    head[start : start + 8] = str(-(-n_tal // 3)).ljust(8).encode()
    records = int(head[236:244])
    width = (len(content) - size) // records
    body = bytearray()
    for k in range(records):
        record = content[size + k * width : size + (k + 1) * width]
        samples = np.frombuffer(record[: width - n_tal], "<i2").astype("<i4")
        body += samples.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        body += record[width - n_tal :].ljust(3 * -(-n_tal // 3), b"\0")
    file.write_bytes(bytes(head) + bytes(body))
    return file

"""Reads the events of a recording: annotations, or a table beside the file."""

import csv
import warnings
from collections import Counter
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from augbench.datasets.errors import UserError, listed, system_error
from augbench.datasets.recording.edf_header import SUFFIXES, EdfHeader, read_edf_header
from augbench.datasets.recording.windows import Event

TABLES = (".tsv", ".csv")
# What the columns of a table are called, in lower case; the first is BIDS' name.
COLUMNS = {
    "onset": ("onset", "onset_seconds", "start", "start_seconds"),
    "duration": ("duration", "duration_seconds", "length"),
    "text": ("trial_type", "description", "label", "stage", "event", "value"),
}


def read_events(
    file: Path, start: datetime | None, where: str, *, allow_truncated: bool = False
) -> list[Event]:
    """The events of a file of their own, in seconds from ``start``, that of the signals.

    Raises UserError for a file that cannot be read, that is cut off, or that holds a signal in
    place of annotations, and where one of the two does not say when it starts. A table counts from
    the first sample. ``where`` is the file of the signals.
    """
    if file.suffix.lower() in TABLES:
        return _read_table(file)
    import mne

    try:
        found = _read_annotations(mne, file)
    except Exception as error:  # MNE raises many kinds for damaged bytes
        raise UserError(
            f"cannot read the annotations of {file.name} ({type(error).__name__}: {error}): the "
            "file seems torn; delete it or fetch it again"
        ) from error
    own = found.orig_time
    if file.suffix.lower() in SUFFIXES:
        header = read_edf_header(file)
        _check_scores(header, len(found), file, allow_truncated=allow_truncated)
        own = header.start
        if start is None or own is None:
            raise UserError(
                f"{where if start is None else file.name} does not say when it starts, so the "
                "annotations cannot be aligned with the signals: put a date and a time into its "
                "header"
            )
    shift = 0.0 if own is None or start is None else (_naive(own) - _naive(start)).total_seconds()
    return _events(found, shift)


def _check_scores(header: EdfHeader, n_found: int, file: Path, *, allow_truncated: bool) -> None:
    if header.is_cut_off and not allow_truncated:
        raise UserError(
            f"{file.name} is cut off: it holds {header.n_whole:,} whole records where its header "
            f"says {header.n_records:,}, so annotations are missing; get the whole file, or set "
            "allow_truncated = true to use those that are there"
        )
    if not n_found and header.signals:
        raise UserError(
            f"{file.name} has no annotations; it holds the signal {header.signals[0]!r}, as some "
            "programs store a hypnogram: export it as annotations or as a .tsv"
        )


def own_events(raw: Any) -> list[Event]:
    """The annotations of the file of the signals itself."""
    # They count from the start of the clock, and so does the first sample of a FIF file.
    return _events(raw.annotations, -raw.first_time)


def most_frequent(texts: list[str]) -> str:
    """The most frequent of some texts, for a message."""
    return listed([repr(text[:60]) for text, _ in Counter(texts).most_common()])


def _read_annotations(mne: Any, file: Path) -> Any:
    """Annotations, in UTF-8 as EDF+ says or else in Latin-1, which some programs write."""
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        if file.suffix != file.suffix.lower():  # MNE knows .edf, and not .EDF
            other = Path(folder, file.stem + file.suffix.lower())
            other.symlink_to(file.resolve())
            file = other
        try:
            return mne.read_annotations(file)
        except UnicodeDecodeError:
            return mne.read_annotations(file, encoding="latin1")


def _naive(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _events(annotations: Any, shift: float) -> list[Event]:
    columns = (annotations.onset, annotations.duration, annotations.description)
    return [
        Event(float(onset) + shift, float(seconds), str(text).strip())
        for onset, seconds, text in zip(*columns, strict=True)
    ]


def _read_table(file: Path) -> list[Event]:
    """A .tsv or .csv with a row for each event; durations may be missing or n/a, as in BIDS."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = system_error(error) if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UserError(f"cannot read {file.name} ({why}): write it again as UTF-8") from error
    lines = [line for line in text.splitlines() if line.strip()]
    head = lines[0] if lines else ""
    mark = max("\t,;", key=head.count)
    rows = list(csv.DictReader(lines, delimiter=mark))
    names = {name.strip().lower(): name for name in head.split(mark)}
    names = {plain.strip('"'): name.strip().strip('"') for plain, name in names.items()}
    found = {
        key: next((names[each] for each in known if each in names), None)
        for key, known in COLUMNS.items()
    }
    for key in ("onset", "text"):
        if found[key] is None:
            raise UserError(
                f"{file.name} has the columns {', '.join(names) or 'of no name'}, and none of "
                f"{', '.join(COLUMNS[key])}: rename one to {COLUMNS[key][0]!r}"
            )
    return [_row_event(row, found, file, number) for number, row in enumerate(rows, 2)]


def _row_event(
    row: dict[str, Any], columns: dict[str, str | None], file: Path, number: int
) -> Event:
    def value(key: str) -> str:
        return str(row.get(columns[key] or "") or "").strip()

    seconds = value("duration")
    try:
        length = 0.0 if seconds.lower() in ("", "n/a", "nan") else float(seconds)
        onset = float(value("onset"))
        if not isfinite(onset + length):
            raise ValueError
        return Event(onset, length, value("text"))
    except ValueError as error:
        raise UserError(
            f"line {number} of {file.name} has the onset {value('onset')!r} and the duration "
            f"{seconds!r}; both are numbers, in seconds"
        ) from error

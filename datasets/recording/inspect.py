"""What a folder of recordings holds, for whoever is about to make a task of it."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from augbench.datasets.errors import UserError, counted, listed
from augbench.datasets.recording.events import own_events, read_events
from augbench.datasets.recording.folder import BIDS, SUFFIXES, files_under, table_beside
from augbench.datasets.recording.signals import open_raw
from augbench.datasets.recording.windows import Event

MOST_OPENED = 10  # recordings; the others are counted by their names
SIDE_BY_SIDE = 5.0  # seconds: events of this length or longer are cut into windows


class InspectedFolder(NamedTuple):
    """What stands in a folder; oddities do not keep a task from being built of it."""

    facts: tuple[str, ...]
    oddities: tuple[str, ...]
    texts: tuple[str, ...]  # of events, the most frequent first
    event_seconds: float  # median
    has_subjects: bool  # whether names have BIDS' sub-NAME
    events_suffix: str  # of EDF files that hold events alone, such as "*Hypnogram.edf"; or ""
    n_shared: int  # characters in which the names of a recording and of its events begin alike


def inspect_folder(folder: Path) -> InspectedFolder:
    """Read the headers and the events of the first recordings. UserError: there is none."""
    files = [f for f in files_under(folder) if f.name.lower().endswith(SUFFIXES)]
    raws: list[tuple[Path, Any]] = []
    unread: list[str] = []
    for file in files:
        if len(raws) >= MOST_OPENED and any(raw.ch_names for _, raw in raws):
            break
        try:
            raws.append((file, open_raw(file)))
        except UserError as error:
            unread.append(str(error))
    signals = [(file, raw) for file, raw in raws if raw.ch_names]
    apart = [file for file, raw in raws if not raw.ch_names]
    if not signals:
        if unread:
            raise UserError(unread[0])
        raise UserError(f"there is no recording in {folder}: the formats are {', '.join(SUFFIXES)}")
    events = [event for file, raw in signals for event in _events_of(file, raw, apart)]
    texts = Counter(event.text for event in events)
    lengths = [raw.n_times / raw.info["sfreq"] for _, raw in signals]
    seconds = float(np.median([event.seconds for event in events])) if events else 0.0
    facts = [
        f"{counted(len(files), 'file')}; of the first {len(raws)}, {len(signals)} are recordings "
        f"of {min(lengths):.0f} to {max(lengths):.0f} s, at {_rates(signals)} Hz",
        f"channels that all have: {listed(_common(signals)) or 'none'}",
    ]
    if apart:
        facts.append(f"events stand in files of their own, such as {apart[0].name}")
    if texts:
        named = [f"{text!r} {count}" for text, count in texts.most_common()]
        facts.append(f"events of {seconds:g} s (median): {listed(named)}")
    return InspectedFolder(
        tuple(facts),
        (*_unread(unread), *_oddities(signals, texts)),
        tuple(text for text, _ in texts.most_common()),
        seconds,
        all(re.search(BIDS, file.name) for file, _ in signals),
        _suffix([file.name for file in apart]),
        min(
            (max(_alike(file.name, other.name) for other in apart) for file, _ in signals if apart),
            default=0,
        ),
    )


def _events_of(file: Path, raw: Any, apart: Sequence[Path]) -> list[Event]:
    """Events from a table beside a recording, from a file of their own, or from itself."""
    table = table_beside(file)
    start = raw.info["meas_date"]
    start = None if start is None else start.replace(tzinfo=None)
    if table is not None:
        return read_events(table, start, file.name)
    shared = max(apart, key=lambda other: _alike(file.name, other.name), default=None)
    if shared is not None and _alike(file.name, shared.name):
        return read_events(shared, start, file.name, allow_truncated=True)
    return own_events(raw)


def _unread(messages: Sequence[str]) -> list[str]:
    if not messages:
        return []
    return [f"no recording in {counted(len(messages), 'file')}, the first: {messages[0]}"]


def _alike(one: str, other: str) -> int:
    """How many characters two names begin with together."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _rates(signals: Sequence[tuple[Path, Any]]) -> str:
    return listed([f"{rate:g}" for rate in sorted({raw.info["sfreq"] for _, raw in signals})])


def _common(signals: Sequence[tuple[Path, Any]]) -> list[str]:
    """The channels that all have, in the order of the first."""
    shared = set.intersection(*(set(raw.ch_names) for _, raw in signals))
    return [name for name in signals[0][1].ch_names if name in shared]


def _oddities(signals: Sequence[tuple[Path, Any]], texts: "Counter[str]") -> list[str]:
    found = []
    if len({raw.info["sfreq"] for _, raw in signals}) > 1:
        found.append("rates differ: give sampling_rate, to which all are resampled")
    if len({tuple(raw.ch_names) for _, raw in signals}) > 1:
        found.append("channels differ: give channels, those that all have")
    if not texts:
        found.append("no events: put a .tsv or .csv beside each recording, or annotate it")
    return found


def _suffix(names: Sequence[str]) -> str:
    """A pattern for the names of files of events: what all of them end in."""
    if not names:
        return ""
    backwards = [name[::-1] for name in names]
    length = min(_alike(backwards[0], other) for other in backwards)
    return f"*{names[0][len(names[0]) - length :]}" if len(names) > 1 else f"*{names[0][8:]}"

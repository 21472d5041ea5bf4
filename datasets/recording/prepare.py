"""Prepares one recording: reads it, cuts it into windows, and keeps them in the cache."""

import json
import mmap
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.cache import Arrays, cached, files_key
from augbench.datasets.errors import UserError
from augbench.datasets.recording.events import most_frequent, own_events, read_events
from augbench.datasets.recording.mapped import row_length
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.signals import (
    Recording,
    open_recording,
    read_channels,
    resampled_length,
)
from augbench.datasets.recording.windows import (
    Event,
    Grid,
    Windows,
    drop_clashes,
    inside,
    place,
    trim_wake,
)
from augbench.datasets.standardise import standardise

VERSION = 2  # raise it when a change of this code changes what is prepared
NAME = "recording"
ROUNDED_SECONDS = 0.01  # by which an onset in a file may be wrong


class Prepared(NamedTuple):
    """The windows of a recording."""

    x: NDArray[np.float32]  # (N, row_length), mapped: rows of windows (C, T), see mapped.py
    y: NDArray[np.int64]  # (N,)
    channels: tuple[str, ...]
    sampling_rate: float  # hertz
    shape: tuple[int, int]  # (C, T)
    digest: str  # of all this
    notes: tuple[str, ...]  # sentences that the user should know


class _MissingError(Exception):
    """The cache lacks a recording."""


def prepare(source: Source, how: Preparation) -> Prepared:
    """The windows of a recording, from the cache if it was prepared before.

    Raises UserError, one sentence with the name of the file, for any fault of a file.
    """
    return _cached(source, how, lambda: _build(source, how))


def find_prepared(source: Source, how: Preparation) -> Prepared | None:
    """The windows of a recording; None where the cache lacks them."""

    def build() -> Arrays:
        raise _MissingError

    try:
        return _cached(source, how, build)
    except _MissingError:
        return None


def _cached(source: Source, how: Preparation, build: Callable[[], Arrays]) -> Prepared:
    files = [file for file in (source.signals, source.events) if file is not None]
    key = repr((VERSION, mmap.PAGESIZE, files_key(files), how))
    stored = cached(NAME, key, ("x", "y", "about"), build, reads_all=False)
    about = json.loads(stored["about"].tobytes())
    return Prepared(
        x=stored["x"],
        y=stored["y"],
        channels=tuple(about["channels"]),
        sampling_rate=about["sampling_rate"],
        shape=(about["shape"][0], about["shape"][1]),
        digest=about["digest"],
        notes=tuple(about["notes"]),
    )


def _build(source: Source, how: Preparation) -> Arrays:
    recording = open_recording(source.signals, how)
    rate = how.sampling_rate or recording.rate
    n_samples = resampled_length(recording.raw.n_times, recording.rate, how.sampling_rate)
    grid = Grid(rate, round(how.window_seconds * rate), n_samples)
    if not grid.n_times:
        raise UserError(
            f"{source.name} has {rate:g} samples a second, none in a window of window_seconds = "
            f"{how.window_seconds:g}: make it longer"
        )
    windows, notes = _windows(source, recording, how, grid)
    if recording.is_simulated:
        notes.append("signals are simulated, so that they tell nothing about sleep")
    names = how.channels if _are_names(how.channels) else recording.names
    shape = (len(recording.names), grid.n_times)
    x, n_flat = _cut(read_channels(recording, how), windows.first, shape, how.standardise)
    if n_flat:
        notes.append("channels are flat in some windows")
    if how.reference and not recording.reference:
        notes.append(f"channel {how.reference} is not there, so the reference of the file is kept")
    digest = sha256(repr((names, rate, shape, x.shape)).encode())
    for array in (x, windows.label):
        digest.update(array.data)
    about: dict[str, Any] = {
        "channels": list(names),
        "sampling_rate": rate,
        "shape": list(shape),
        "digest": digest.hexdigest()[:16],
        "notes": notes,
    }
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    return {"x": x, "y": windows.label, "about": text}


def _are_names(channels: tuple[str, ...]) -> bool:
    return bool(channels) and not channels[0].startswith("-")


def _windows(
    source: Source, recording: Recording, how: Preparation, grid: Grid
) -> tuple[Windows, list[str]]:
    """The windows that are cut, and what the user should know of those that are not."""
    where = source.name
    found = (
        own_events(recording.annotated)
        if source.events is None
        else read_events(
            source.events,
            recording.start,
            source.signals.name,
            allow_truncated=how.allow_truncated,
        )
    )
    wanted = _wanted(found, recording, how, where)
    placed = place(wanted, how.window_seconds, how.offset_seconds, grid)
    if not len(placed.first):
        longest = max(event.seconds for event, _ in wanted)
        raise UserError(
            f"{where}: no window of {how.window_seconds:g} s fits into an event, of which the "
            f"longest lasts {longest:g} s: lower window_seconds, or give offset_seconds, where a "
            "window begins after the onset of its event"
        )
    whole = inside(placed, grid)
    if not len(whole.first):
        raise UserError(
            f"{where}: none of its {len(placed.first):,} windows lies within the signals, which "
            f"last {grid.n_samples / grid.rate:,.0f} s; the first is due at second "
            f"{placed.first[0] / grid.rate:,.0f} of them: do events and signals belong together?"
        )
    notes = []
    if len(whole.first) < len(placed.first):
        notes.append("events go on where the signals do not; those windows are left out")
    # Side by side, windows may share some samples: files round onsets, and beginnings are rounded.
    shared = max(1, round(ROUNDED_SECONDS * grid.rate))
    least = 1 if how.offset_seconds is not None else max(1, grid.n_times - shared)
    kept, n_unclear = drop_clashes(whole, least)
    if n_unclear:
        notes.append("windows of different classes overlap; they are left out")
    if how.wake_minutes is not None:
        kept = trim_wake(kept, how.wake_minutes, grid)
    if not len(kept.first):
        raise UserError(
            f"{where}: all its windows overlap others of another class: mend its events"
        )
    return kept, notes


def _wanted(
    found: list[Event], recording: Recording, how: Preparation, where: str
) -> list[tuple[Event, int]]:
    """The events that the suite names, each with its class."""
    names = {text.casefold(): number for text, number in how.events.items()}
    wanted = [
        (event, names[event.text.casefold()]) for event in found if event.text.casefold() in names
    ]
    if not wanted:
        signal = [name for name in recording.annotated.ch_names if "hypnogram" in name.casefold()]
        if signal and not found:
            raise UserError(
                f"{where} has no annotations; its channel {signal[0]!r} seems to hold the "
                "hypnogram as a signal: export it as annotations or as a .tsv beside the file"
            )
        raise UserError(
            f"{where} has no event of those that events names ({most_frequent([*how.events])}); "
            f"it has {most_frequent([event.text for event in found]) or 'none at all'}"
        )
    if how.page_seconds is not None:
        _check_pages([event for event, _ in wanted], how.page_seconds, where)
    return wanted


def _check_pages(events: list[Event], seconds: float, where: str) -> None:
    """Raise a UserError if the pages that were scored are not as long as expected.

    An event may hold several pages, and the first and the last one may be shorter.
    """
    odd = [e for e in events if abs(e.seconds - seconds * round(e.seconds / seconds)) > 0.5]
    if 2 * len(odd) > len(events):
        usual = Counter(event.seconds for event in odd).most_common(1)[0][0]
        raise UserError(
            f"{where} is scored in pages of {usual:g} s; this task reads pages of {seconds:g} s: "
            "leave out recordings that were scored otherwise"
        )


def _cut(
    channels: Iterable[NDArray[np.float64]],
    first: NDArray[np.int64],
    shape: tuple[int, int],
    standardised: bool,
) -> tuple[NDArray[np.float32], int]:
    """(N, row_length) windows of each channel, one after another; and how many are flat."""
    n_times = shape[1]
    x = np.zeros((len(first), row_length(shape)), np.float32)
    index = first[:, None] + np.arange(n_times)
    n_flat = 0
    for c, channel in enumerate(channels):
        windows = channel[index]  # (N, T)
        if standardised:
            windows = standardise(windows[:, None])[:, 0]
        x[:, c * n_times : (c + 1) * n_times] = windows
        n_flat += int((np.ptp(windows, axis=1) == 0).sum())
    return x, n_flat

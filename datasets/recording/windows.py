"""From events to windows: where each begins, and of which class it is."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Event(NamedTuple):
    """Something that was marked in a recording, in seconds from its first sample."""

    onset: float
    seconds: float  # 0 where it has no length
    text: str


class Windows(NamedTuple):
    """The windows of a recording, by their first samples."""

    first: NDArray[np.int64]  # (N,), ascending
    label: NDArray[np.int64]  # (N,)

    def keep(self, kept: NDArray[np.bool_]) -> "Windows":
        """Some of them."""
        return Windows(self.first[kept], self.label[kept])


class Grid(NamedTuple):
    """The samples that windows are cut from."""

    rate: float  # hertz
    n_times: int  # samples of a window
    n_samples: int  # of the whole recording


def tile(onset: float, seconds: float, window_seconds: float, grid: Grid) -> NDArray[np.int64]:
    """First samples of the windows that fit between an onset and an end, side by side.

    Half a sample may be missing at the end, because files round what they hold.
    """
    n = int((seconds + 0.5 / grid.rate) // window_seconds)
    starts = onset + window_seconds * np.arange(max(n, 0))
    first: NDArray[np.int64] = np.floor(starts * grid.rate + 0.5).astype(np.int64)
    return first


def place(
    events: list[tuple[Event, int]], window_seconds: float, offset: float | None, grid: Grid
) -> Windows:
    """Windows of events and their classes, ascending; they may overlap or lie outside.

    Without an ``offset`` they fill each event; with one, each event has one, that long after its
    onset.
    """
    first, label = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for event, number in events:
        if offset is None:
            starts = tile(event.onset, event.seconds, window_seconds, grid)
        else:
            starts = tile(event.onset + offset, window_seconds, window_seconds, grid)
        first.append(starts)
        label.append(np.full(len(starts), number))
    starts, labels = np.concatenate(first), np.concatenate(label)
    order = np.argsort(starts, kind="stable")
    return Windows(starts[order], labels[order])


def drop_clashes(windows: Windows, least: int) -> tuple[Windows, int]:
    """Let no two windows begin less than ``least`` samples apart; and how many were unclear.

    Of windows of one class the first stays. Where the classes differ nobody knows which is right,
    so none of them stays.
    """
    kept = np.ones(len(windows.first), dtype=bool)
    unclear = np.zeros(len(windows.first), dtype=bool)
    last = -1  # the last window that is not a repetition
    for i, start in enumerate(windows.first.tolist()):
        if last >= 0 and start - windows.first[last] < least:
            if windows.label[i] == windows.label[last]:
                kept[i] = False
                continue
            unclear[[i, last]] = True
        last = i
    return windows.keep(kept & ~unclear), int((kept & unclear).sum())


def inside(windows: Windows, grid: Grid) -> Windows:
    """The windows that are whole."""
    return windows.keep((windows.first >= 0) & (windows.first + grid.n_times <= grid.n_samples))


def trim_wake(windows: Windows, minutes: float, grid: Grid) -> Windows:
    """Drop the windows of class 0 (wake) that lie further than that from the sleep between them.

    The minutes before count up to the start of the first window of sleep, those after from the end
    of the last one. A recording without sleep stays as it is.
    """
    asleep = windows.first[windows.label != 0]
    if not len(asleep):
        return windows
    margin = round(60 * minutes * grid.rate)
    # A sample to either side: windows begin at rounded samples.
    early = windows.first >= asleep[0] - margin - 1
    return windows.keep(early & (windows.first <= asleep[-1] + margin + 1))

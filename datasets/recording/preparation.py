"""What is read, and what is done to it: all that a prepared recording depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Source(NamedTuple):
    """A recording of one subject: the file of its signals, and that of its events."""

    name: str
    subject: str
    signals: Path
    events: Path | None = None  # None where they are annotations of the signals' file


@dataclass(frozen=True)
class Preparation:
    """How recordings become windows; plain values, so that they can be sent to a process."""

    events: Mapping[str, int]  # what an event is called in the files -> number of its class
    window_seconds: float
    # Where a window begins, in seconds after the onset of its event; None: windows lie side by
    # side from the onset of an event to its end.
    offset_seconds: float | None = None
    channels: tuple[str, ...] = ()  # as in the option: names or electrodes; empty is all
    reference: str = ""  # a channel that is subtracted, "average", or "" for none
    reference_needed: bool = True  # False: a recording without that channel stays as it is
    low: float = 0.0  # hertz, edges of the filter; 0 is none
    high: float = 0.0
    sampling_rate: float = 0.0  # hertz; 0 is as recorded
    standardise: bool = True
    allow_truncated: bool = False
    # Sleep alone: minutes of wake (class 0) to keep before the first and after the last page of
    # another class; and the length of a page as scored, which is checked. None is off.
    wake_minutes: float | None = None
    page_seconds: float | None = None

"""What of a run is already in a sink, kept in a file of the run directory.

Before a sink is told of a trial, a line says that the trial is open; afterwards another one says
how far it is. A process may be killed between the two: then nobody knows what the sink holds of the
trial, and the next process writes that trial anew. So no point is ever there twice.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from augbench.bench.sinks.sink import FOLDER
from augbench.bench.sinks.trial_record import Point, TrialRecord
from augbench.bench.store.files import append_line, hold_lock, read_records


class Entry(NamedTuple):
    """The last line of a trial."""

    trial: str
    reference: str  # the sink's own name for the trial, the same for ever
    n_points: int | None = None  # None: open
    digest: str = ""  # of these points
    status: str = ""
    is_over: bool = False


_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


class Journal:
    """The journal of one sink and one place."""

    def __init__(self, run: Path, sink: str, place: str) -> None:
        self._sink = sink
        which = f"-{hashlib.sha256(place.encode()).hexdigest()[:8]}" if place else ""
        self._file = run / FOLDER / f"{sink}{which}.jsonl"
        self._entries: dict[str, Entry] = {}

    def held(self, patience_seconds: float) -> AbstractContextManager[None]:
        """Hold it: two processes that log one run to one place would add everything twice.

        Raises a BusyError if another process holds it for so long.
        """
        self._file.parent.mkdir(exist_ok=True)
        message = f"another process logs this run to {self._sink} already"
        file = self._file.with_suffix(".lock")
        return hold_lock(file, message, wait_seconds=patience_seconds)

    def load(self) -> None:
        """Read what earlier processes wrote. Raises a DamagedError if it cannot be read."""
        for _, entry in read_records(self._file, _ENTRY):
            self._entries[entry.trial] = entry

    def entry(self, record: TrialRecord) -> Entry:
        """How far the sink is with a trial; open if it was never told of it."""
        return self._entries.get(record.trial) or Entry(record.trial, uuid.uuid4().hex[:12])

    def is_up_to_date(self, record: TrialRecord) -> bool:
        """Whether the sink has all of a trial."""
        entry = self.entry(record)
        return entry.n_points is not None and entry == closed(record, entry.reference)

    def begin(self, entry: Entry) -> None:
        """Note that a sink is about to be told of a trial."""
        self._note(Entry(entry.trial, entry.reference))

    def close(self, record: TrialRecord, reference: str) -> None:
        """Note that the sink has all of a trial as it is now."""
        self._note(closed(record, reference))

    def _note(self, entry: Entry) -> None:
        append_line(self._file, entry._asdict())
        self._entries[entry.trial] = entry


def closed(record: TrialRecord, reference: str) -> Entry:
    """The entry of a trial of which a sink has everything."""
    digest = points_digest(record.points)
    return Entry(record.trial, reference, len(record.points), digest, record.status, record.is_over)


def n_known_points(record: TrialRecord, entry: Entry) -> int:
    """How many points of a trial a sink may keep; 0: it has to write the trial anew.

    A trial that was over and goes on, or whose points have changed because an attempt did them
    again, begins anew.
    """
    if entry.n_points is None or entry.is_over or len(record.points) < entry.n_points:
        return 0
    same = points_digest(record.points[: entry.n_points]) == entry.digest
    return entry.n_points if same else 0


def points_digest(points: Sequence[Point]) -> str:
    """A hash of points."""
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()[:16]

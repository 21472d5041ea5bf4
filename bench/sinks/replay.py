"""Replays what a run directory holds into a sink, once or for as long as the run goes on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from augbench.bench.plan.suite import PlannedTrial, Suite
from augbench.bench.sinks import SINKS
from augbench.bench.sinks.journal import Journal, n_known_points
from augbench.bench.sinks.sink import Destination, Sink, SinkError
from augbench.bench.sinks.trial_record import TrialRecord, read_record
from augbench.bench.store.open_run import open_run
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import FINISHED
from augbench.bench.store.unit_directory import UnitDirectory
from augbench.datasets.errors import UserError, unknown
from augbench.datasets.options.row import resolve

BUSY_SHARE = 0.05  # of one processor, at most, for reading a run that is followed


class Told(NamedTuple):
    """What a replay has done."""

    trials: set[str]  # that were written, by digest
    n_points: int
    n_up_to_date: int  # trials of which nothing was new
    to_see: str


def replay(
    kind: str,
    destination: Destination,
    *,
    is_over: Callable[[], bool] = lambda: True,
    wait: Callable[[float], object] = time.sleep,
    seconds: float = 5.0,
    patience_seconds: float = 0.0,
) -> Told:
    """Tell a sink all that a run holds, again and again until ``is_over``, and once after it.

    ``seconds`` are between two looks, or more where a look takes long; ``wait`` passes them. A
    process that logs the same run to the same place is waited for ``patience_seconds``.

    Raises a UserError for a sink that is not known or whose package is missing, a run directory
    that cannot be read, and whatever the sink's tool refuses.
    """
    sink = open_sink(kind, destination)
    journal = Journal(destination.run, kind, sink.place)
    with journal.held(patience_seconds), _errors_of(kind):
        journal.load()
        reader = _Replay(kind, destination, sink, journal)
        try:
            while not is_over():
                began = time.process_time()
                reader.look()
                wait(max(seconds, (time.process_time() - began) / BUSY_SHARE))
            reader.look()
        finally:
            sink.close()
    return Told(reader.written, reader.n_points, reader.n_up_to_date, sink.to_see)


def check_installed(kind: str) -> None:
    """Raise a UserError for a sink that is not known or whose package is not installed."""
    _sink_class(kind)


def open_sink(kind: str, destination: Destination) -> Sink:
    """A sink, ready to be told; its package is imported only now."""
    opens = _sink_class(kind)
    with _errors_of(kind):
        sink: Sink = opens(destination)
    return sink


def _sink_class(kind: str) -> Callable[[Destination], Sink]:
    if kind not in SINKS:
        raise unknown("sink", kind, SINKS)
    try:
        return resolve(SINKS[kind].opens)
    except ImportError as error:
        raise UserError(
            f"{kind} cannot be imported ({error}): pip install {SINKS[kind].package}, or all sinks "
            "by pip install -e '.[sinks]' in a clone of augbench"
        ) from error


@contextmanager
def _errors_of(kind: str) -> Iterator[None]:
    """Whatever the tool of a sink raises ends in one sentence."""
    try:
        yield
    except (UserError, OSError):
        raise
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise SinkError(
            f"{kind} failed ({said}); what it has stays, and the same command goes on"
        ) from error


class _Replay:
    """Reads a run directory and tells what is new in it."""

    def __init__(self, kind: str, destination: Destination, sink: Sink, journal: Journal) -> None:
        self._path, self._sink, self._journal = destination.run, sink, journal
        self._settled: dict[str, object] = {}  # trials that are finished, and what they looked like
        self._found: set[str] = set()  # trials that this process has asked the sink for
        self._header: object = None
        self._run: tuple[RunDirectory, Suite] | None = None
        self.written: set[str] = set()
        self.n_points = self.n_up_to_date = 0

    def look(self) -> None:
        """Read every trial that may have changed, and tell the sink."""
        run, suite = self._open()
        self.n_up_to_date = 0
        for planned in suite.plan:
            self._look_at(run, planned, suite.name)

    def _open(self) -> tuple[RunDirectory, Suite]:
        """The run; its suite is read again only if it has changed."""
        header = RunDirectory(self._path).header_file
        stamp = header.stat().st_mtime_ns if header.exists() else None
        if self._run is None or stamp != self._header:
            self._run, self._header = open_run(self._path), stamp
        return self._run

    def _look_at(self, run: RunDirectory, planned: PlannedTrial, suite: str) -> None:
        directory = run.unit(planned.spec.unit)
        if not directory.path.exists():  # one look: a plan can be long
            return
        trial, looks = planned.spec.unit.digest, _appearance(directory)
        if self._settled.get(trial) == looks:
            self.n_up_to_date += trial not in self.written
            return
        record = read_record(run, planned, suite)
        if record is None:
            return
        self._tell(record)
        self._settled.pop(trial, None)
        if record.state in FINISHED:  # others may go on by a retraining, in another folder
            self._settled[trial] = looks

    def _tell(self, record: TrialRecord) -> None:
        entry = self._journal.entry(record)
        is_there = record.trial in self._found or self._sink.holds(record, entry.reference)
        self._found.add(record.trial)
        if is_there and self._journal.is_up_to_date(record):
            self.n_up_to_date += record.trial not in self.written
            return
        n_known = n_known_points(record, entry) if is_there else 0
        self._journal.begin(entry)
        self._sink.write(record, entry.reference, n_known)
        self._journal.close(record, entry.reference)
        self.written.add(record.trial)
        self.n_points += len(record.points) - n_known


def _appearance(directory: UnitDirectory) -> object:
    """What changes if a finished trial is done again: its result, its attempts."""
    stamps: list[tuple[int, int] | None] = []
    for path in (directory.result_file, directory.path / "attempts"):
        try:
            status = path.stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((status.st_ino, status.st_mtime_ns))
    return tuple(stamps)

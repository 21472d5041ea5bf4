"""TensorBoard: an event file for each trial, without TensorFlow and without torch's writer.

The records are written one by one and not by a writer that keeps a thread and an open file for
each trial: there may be thousands of trials.
"""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from shlex import quote

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from augbench.bench.sinks.names import folder_name
from augbench.bench.sinks.sink import Destination
from augbench.bench.sinks.trial_record import Point, TrialRecord
from augbench.datasets.errors import UserError

LONGEST_TEXT = 50_000  # characters of a policy


class TensorBoardSink:
    """A folder of event files, one for each trial, in folders by task and method.

    The steps are the trial's. An event's time is the start of the trial and the device time that
    it was charged since then, so TensorBoard's relative axis shows device time.
    """

    def __init__(self, destination: Destination) -> None:
        if destination.location and "://" in destination.location:
            raise UserError(f"--location {destination.location}: for tensorboard it is a folder")
        folder = destination.folder("tensorboard")
        self._folder = folder / destination.run.absolute().name if destination.location else folder
        self.place = str(self._folder) if destination.location else ""
        self.to_see = f"tensorboard --logdir {quote(str(folder))}"

    def holds(self, record: TrialRecord, reference: str) -> bool:
        """Whether its event file is there."""
        return bool(self._files(record, reference))

    def write(self, record: TrialRecord, reference: str, n_known: int) -> None:
        """Append to the event file, or begin another one and delete the old one."""
        files = self._files(record, reference)
        events = [*_point_events(record, record.points[n_known:]), *_end_events(record)]
        if n_known and len(files) == 1:
            _append(files[0], events)
            return
        folder = self._trial_folder(record)
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files in the order of their names and never goes back.
        file = folder / f"events.out.tfevents.{time.time():017.6f}.{reference}"
        _append(file, [*_first_events(record), *events])
        for old in files:
            old.unlink()

    def close(self) -> None:
        """Nothing is open."""

    def _trial_folder(self, record: TrialRecord) -> Path:
        trial = f"fold {record.fold} seed {record.seed}"
        return self._folder / folder_name(record.task) / folder_name(record.method) / trial

    def _files(self, record: TrialRecord, reference: str) -> list[Path]:
        return sorted(self._trial_folder(record).glob(f"events.out.tfevents.*.{reference}"))


def _append(file: Path, events: Iterable[Event]) -> None:
    with file.open("ab") as opened:
        writer = RecordWriter(opened)
        for event in events:
            writer.write(event.SerializeToString())


def _first_events(record: TrialRecord) -> Iterator[Event]:
    yield Event(wall_time=record.began, file_version="brain.Event:2")
    # A TensorBoard that has read an older file of this trial forgets what it held.
    start = SessionLog(status=SessionLog.START)
    yield Event(wall_time=record.began, step=0, session_log=start)
    session = hparams_pb(record.parameters, record.trial, record.began)
    yield Event(wall_time=record.began, step=0, summary=session)
    table = "\n".join(
        ["| option | value |", "|---|---|"]
        + [f"| {key} | {_cell(value)} |" for key, value in record.parameters.items()]
    )
    yield _text_event("options", table, record.began, 0)


def _point_events(record: TrialRecord, points: Iterable[Point]) -> Iterator[Event]:
    for point in points:
        when = record.began + point.seconds
        values = [
            Summary.Value(tag=name, simple_value=value) for name, value in point.values.items()
        ]
        yield Event(wall_time=when, step=point.step, summary=Summary(value=values))
        if point.policy:
            text = f"```json\n{point.policy[:LONGEST_TEXT]}\n```"
            yield _text_event("best policy", text, when, point.step)


def _end_events(record: TrialRecord) -> Iterator[Event]:
    if not record.is_over:
        return
    last = record.points[-1] if record.points else Point(0, 0.0, {}, None)
    when = record.began + last.seconds
    yield _text_event("status", _cell(record.status), when, last.step)
    data = api_pb2.STATUS_SUCCESS if record.is_good else api_pb2.STATUS_FAILURE
    yield Event(wall_time=when, step=last.step, summary=_session_end(data, when))


def _session_end(status: int, when: float) -> Summary:
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=when)
    data = plugin_data_pb2.HParamsPluginData(session_end_info=ended)
    value = Summary.Value(
        tag=metadata.SESSION_END_INFO_TAG,
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return Summary(value=[value])


def _text_event(tag: str, text: str, when: float, step: int) -> Event:
    plugin = SummaryMetadata.PluginData(plugin_name="text")
    value = Summary.Value(
        tag=tag,
        metadata=SummaryMetadata(plugin_data=plugin),
        tensor=TensorProto(dtype=DT_STRING, string_val=[text.encode()]),
    )
    return Event(wall_time=when, step=step, summary=Summary(value=[value]))


def _cell(value: object) -> str:
    """A value in a cell of a Markdown table."""
    return str(value).replace("|", "\\|").replace("\n", " ")

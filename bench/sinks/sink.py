"""The contract of a sink, and what it is opened with.

A sink shows the trials of a run directory in another tool. It reads what the run has stored and
never takes part in a trial, so nothing that goes wrong in it can touch one.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from augbench.bench.sinks.trial_record import TrialRecord
from augbench.datasets.errors import UserError

FOLDER = "logs"  # in a run directory: what sinks write unless told otherwise, and their journals


class SinkError(UserError):
    """The tool behind a sink has refused something; what it said stands in the sentence."""


class SinkRow(NamedTuple):
    """A row of the table of sinks."""

    package: str  # that has to be installed
    opens: str  # module:function of a Destination, which returns the Sink


@dataclass(frozen=True)
class Destination:
    """Where the trials of a run are to be shown."""

    run: Path
    suite: str  # its name
    location: str | None = None  # a folder, or the address of a server; None: the sink's own
    project: str | None = None  # of W&B, or the experiment of MLflow; None: the sink's own
    online: bool = False  # W&B: send it to the server

    def folder(self, name: str) -> Path:
        """The folder to write to, absolute and made if it is not there."""
        path = Path(self.location) if self.location else self.run / FOLDER / name
        path = path.expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        return path


class Sink(Protocol):
    """Shows trials in another tool. ``reference`` names what a sink holds of one trial.

    Errors of the tool may be of any class: `Replay` makes a SinkError of them.
    """

    place: str  # that tells places apart, each of which has a journal; "" below the run directory
    to_see: str  # how to look at it, in words

    def holds(self, record: TrialRecord, reference: str) -> bool:
        """Whether that is still there; someone may have deleted it."""

    def write(self, record: TrialRecord, reference: str, n_known: int) -> None:
        """Bring a trial up to date. Its first ``n_known`` points are there and stay.

        If there are none, whatever is there of the trial is dropped, and it is written anew.
        """

    def close(self) -> None:
        """Write the rest to the disk, and let go of everything."""

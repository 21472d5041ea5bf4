"""The contract of an engine: units go in, outcomes come out."""

from typing import Literal, NamedTuple, Protocol

from augbench.bench.plan.spec import UnitId

# "crashed": the process is gone, so try again; "failed": an exception, so try again once;
# "refused": the user has to mend something first.
Ending = Literal["done", "crashed", "failed", "refused"]


class Outcome(NamedTuple):
    """How work on a unit ended, and why if it did not end well."""

    unit: UnitId
    ending: Ending
    reason: str = ""


class Engine(Protocol):
    """Does units somewhere. What comes of them is in the run directory; no data pass through."""

    slots: int  # units that it can have at a time

    def submit(self, unit: UnitId) -> None:
        """Take a unit on; only while fewer than ``slots`` are under way."""

    def wait(self, seconds: float) -> list[Outcome]:
        """The outcomes since the last call, waiting at most that long for the first."""

    def close(self) -> None:
        """Stop what is still under way and let go of everything."""

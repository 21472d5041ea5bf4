"""The contract of an engine: it gets units and returns outcomes."""

from typing import Literal, NamedTuple, Protocol

from augbench.bench.plan.spec import UnitId

# "crashed": the process died, so the unit is tried again; "failed": an exception, so it is tried
# once more; "refused": the user has to change something first.
Ending = Literal["done", "crashed", "failed", "refused"]


EngineName = Literal["inline", "ray"]


class Outcome(NamedTuple):
    """How the work on a unit ended, and the reason if it did not end well."""

    unit: UnitId
    ending: Ending
    reason: str = ""


class Engine(Protocol):
    """Does units somewhere. Their results are in the run directory; an engine returns no data."""

    slots: int  # how many units it takes at a time

    def submit(self, unit: UnitId) -> None:
        """Begin a unit; call this only while fewer than ``slots`` units are under way."""

    def wait(self, seconds: float) -> list[Outcome]:
        """Return the outcomes since the last call; wait at most that long for the first one.

        Raises a UserError if the engine itself is broken and no unit can go on.
        """

    def close(self) -> None:
        """Stop the units that are still under way, and free everything."""

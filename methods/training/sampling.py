"""What a search that tries policies one by one can hand to other workers: its next samplings."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

from augbench.methods.policies.slot import Slot, read_slots


class Proposal(NamedTuple):
    """A point of the space of policies that is to be tried, and its number in the search."""

    number: int
    slots: tuple[Slot, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes an equal proposal."""
        return {"number": self.number, "slots": [list(slot) for slot in self.slots]}

    @staticmethod
    def from_json(record: dict[str, Any]) -> "Proposal":
        """The proposal that `to_json` has written."""
        return Proposal(record["number"], read_slots(record["slots"]))


class Reached(NamedTuple):
    """What a sampling has reached."""

    value: float  # larger is better
    n_epochs: int  # of training that it took; 0: none
    diverged: bool = False


class Sampling(Protocol):
    """The work on one proposal, step by step; it depends on the search's setup and options alone.

    The steps are those that the search itself would take for it.
    """

    def step(self) -> bool:
        """Advance by one step; True when there is no further one."""

    def reached(self) -> Reached:
        """What it has reached, after the last step."""

    def state_dict(self) -> dict[str, Any]:
        """Everything the next step depends on, as tensors and plain data."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from there, bit for bit."""


@runtime_checkable
class Samples(Protocol):
    """A `Method` that makes its samplings in batches. Its ``step`` does one after the other.

    A harness may do those of a batch itself, all at once, and `tell` what they reached, in their
    order. That gives the same numbers.
    """

    def proposals(self) -> list[Proposal]:
        """What is left of the batch; empty if there is none to begin, or one has been begun."""

    def begin(self, proposal: Proposal) -> Sampling:
        """The work on a proposal."""

    def tell(self, proposal: Proposal, reached: Reached) -> bool:
        """Add the next sampling; True when it was the last of the search."""

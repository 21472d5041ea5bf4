"""A method, and the undisturbed run of it that its checks share."""

from dataclasses import dataclass
from functools import cached_property

from augbench.methods.conformance.method_walk import (
    Moment,
    Subject,
    Walk,
    trail,
)


@dataclass(frozen=True)
class Case:
    """A method, and one undisturbed run of it that the checks share."""

    subject: Subject

    @cached_property
    def _run(self) -> tuple[Walk, list[Moment]]:
        walk = self.subject.start()
        return walk, trail(walk)

    @property
    def walk(self) -> Walk:
        return self._run[0]

    @property
    def moments(self) -> list[Moment]:
        """After 0 steps, after 1 and so on."""
        return self._run[1]

    @property
    def n_steps(self) -> int:
        return len(self.moments) - 1

"""Which unit goes next: in the plan's order, and towards the end the longest first.

While there is more work than workers, any order keeps them busy. At the end, a long unit that was
begun last keeps one worker busy while all others wait.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from math import inf

from augbench.bench.plan.spec import EvaluationSpec, TrialSpec, UnitId

Spec = TrialSpec | EvaluationSpec
END = 2  # units that wait for each worker: with fewer, the longest goes first


class LongestFirst:
    """Takes units from a queue, by how long those of the same kind have taken.

    Of one kind are the trials of a method on a task, and the retrainings of a task.
    """

    def __init__(self, known: Mapping[UnitId, Spec], clock: Callable[[], float]) -> None:
        self._known, self._clock = known, clock
        self._kinds: dict[UnitId, Hashable] = {}
        self._begun: dict[UnitId, float] = {}
        self._spans: dict[Hashable, list[float]] = {}  # of each kind, sorted

    def take(self, queue: deque[UnitId], n_workers: int) -> UnitId:
        """The next unit, which leaves the queue.

        Trials go before retrainings, because what they find keeps the other workers busy, and a
        kind of which none has ended before all others: nobody knows how long it takes.
        """
        at = 0
        if len(queue) <= END * n_workers:
            ranks = [self._rank(unit) for unit in queue]
            at = ranks.index(max(ranks))
        unit = queue[at]
        del queue[at]
        self._begun[unit] = self._clock()
        return unit

    def ended(self, unit: UnitId, *, finished: bool) -> None:
        """A unit has left its worker; if it is finished, its time counts."""
        seconds = self._clock() - self._begun.pop(unit)
        if finished:
            insort(self._spans.setdefault(self._kind(unit), []), seconds)

    def _rank(self, unit: UnitId) -> tuple[bool, float]:
        spans = self._spans.get(self._kind(unit))
        return unit.kind == "trials", spans[len(spans) // 2] if spans else inf

    def _kind(self, unit: UnitId) -> Hashable:
        if unit not in self._kinds:
            spec = self._known[unit]
            method = (spec.method, repr(spec.options)) if isinstance(spec, TrialSpec) else None
            self._kinds[unit] = repr(spec.task), method
        return self._kinds[unit]

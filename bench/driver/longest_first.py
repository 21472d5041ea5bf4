"""Which unit goes next: in the plan's order, and towards the end the longest first.

While there is more work than workers, any order keeps them busy. At the end, a long unit that was
begun last keeps one worker busy while all others wait.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from math import inf

from augbench.bench.plan.spec import SamplingSpec, Spec, TrialSpec, UnitId

# The end begins when the work that waits for each worker takes so many times as long as the longest
# unit: so much is needed to fill the gaps beside long ones.
END = 2.0


class LongestFirst:
    """Takes units from a queue, by how long those of the same kind have taken.

    Of one kind are the trials of a method on a task, their samplings, and the retrainings of a
    task.
    """

    def __init__(self, known: Mapping[UnitId, Spec], clock: Callable[[], float]) -> None:
        self._known, self._clock = known, clock
        self._kinds: dict[UnitId, Hashable] = {}
        self._begun: dict[UnitId, float] = {}
        self._spans: dict[Hashable, list[float]] = {}  # of each kind, sorted
        self._seconds, self._n_ended = 0.0, 0

    def take(self, queue: deque[UnitId], n_workers: int) -> UnitId:
        """The next unit, which leaves the queue.

        Trials and their samplings go before retrainings, because what they find keeps the other
        workers busy, and a kind of which none has ended before all others: nobody knows how long it
        takes.
        """
        at = 0
        if len(queue) <= END * n_workers * self._longest_in_means():
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
            self._seconds += seconds
            self._n_ended += 1

    def _longest_in_means(self) -> float:
        """How many times as long as the mean unit those of the longest kind take; 1 at first."""
        longest = max((_median(spans) for spans in self._spans.values()), default=0.0)
        return max(1.0, longest * self._n_ended / self._seconds) if self._seconds else 1.0

    def _rank(self, unit: UnitId) -> tuple[bool, float]:
        spans = self._spans.get(self._kind(unit))
        return unit.kind != "evaluations", _median(spans) if spans else inf

    def _kind(self, unit: UnitId) -> Hashable:
        if unit not in self._kinds:
            spec = self._known[unit]
            self._kinds[unit] = _kind(spec)
        return self._kinds[unit]


def _kind(spec: Spec) -> Hashable:
    if isinstance(spec, SamplingSpec):
        trial = TrialSpec.from_json(spec.trial)
        return repr(trial.task), "a sampling of", trial.method, repr(trial.options)
    method = (spec.method, repr(spec.options)) if isinstance(spec, TrialSpec) else None
    return repr(spec.task), method


def _median(spans: list[float]) -> float:
    """Of times that are sorted."""
    return spans[len(spans) // 2]

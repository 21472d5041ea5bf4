"""When the next checkpoint is due."""

import time
from collections.abc import Callable

SHARE = 0.005  # of a unit's time that checkpoints may take


class Pace:
    """Spaces checkpoints by what they took: where epochs are short, there is one for many.

    The first is due at once, and each within ``longest`` seconds after the one before it: so much
    is done again after a crash, and no more.
    """

    def __init__(self, longest: float, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._longest, self._clock = longest, clock
        self._began = self._saved_at = clock()
        self._spent = 0.0  # on checkpoints

    def due(self) -> bool:
        """Whether to write a checkpoint now."""
        now = self._clock()
        spared = self._spent <= SHARE * (now - self._began)
        return spared or now - self._saved_at >= self._longest

    def saved(self, began: float) -> None:
        """Note that a checkpoint is written that was begun at this reading of the clock."""
        self._saved_at = self._clock()
        self._spent += self._saved_at - began

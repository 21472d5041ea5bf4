"""The clock and the counts of one unit of work, by phase."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from augbench.bench.store.phases import CHARGED, PHASES, HarnessPhase


@dataclass
class Cost:
    """What one phase has cost so far."""

    seconds: float = 0.0  # of the device
    cpu_seconds: float = 0.0  # of this process, all its threads together
    steps: int = 0  # of an optimizer
    forward: int = 0  # samples through the trunk
    backward: int = 0


class Ledger:
    """A `Meter` whose clocks are read only at phase edges, with the device idle.

    It is saved with the checkpoint, so that work that is lost and done again is counted once.
    """

    def __init__(
        self,
        device: torch.device | str = "cpu",
        *,
        clock: Callable[[], float] = time.perf_counter,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self.costs: dict[HarnessPhase, Cost] = {name: Cost() for name in PHASES}
        # What other processes have spent for this unit, each by its own clock.
        self.elsewhere: dict[HarnessPhase, Cost] = {}
        self._device = torch.device(device)
        self._clock, self._cpu_clock = clock, cpu_clock
        self._open: list[HarnessPhase] = []
        self._since = self._cpu_since = 0.0

    @contextmanager
    def phase(self, name: HarnessPhase) -> Iterator[None]:
        """Charge the block to a phase; an inner block pauses the outer one."""
        self._charge()
        self._open.append(name)
        try:
            yield
        finally:
            self._charge()
            self._open.pop()

    def count(self, *, forward: int = 0, backward: int = 0, steps: int = 0) -> None:
        """Add samples and optimizer steps to the innermost open phase."""
        cost = self.costs[self._open[-1]]
        cost.forward += forward
        cost.backward += backward
        cost.steps += steps

    def add(self, costs: Mapping[HarnessPhase, dict[str, Any]]) -> None:
        """Add what another process has spent for this unit; its clock ran beside this one."""
        for name, cost in costs.items():
            former = vars(self.elsewhere.get(name, Cost()))
            self.elsewhere[name] = Cost(**{key: former[key] + cost[key] for key in former})

    def _charge(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now, cpu_now = self._clock(), self._cpu_clock()
        if self._open:
            cost = self.costs[self._open[-1]]
            cost.seconds += now - self._since
            cost.cpu_seconds += cpu_now - self._cpu_since
        self._since, self._cpu_since = now, cpu_now

    @property
    def seconds(self) -> float:
        """All that this process has measured, charged or not, and the ones before it."""
        return sum(cost.seconds for cost in self.costs.values())

    @property
    def charged_seconds(self) -> float:
        """What the method is charged so far, wherever it was spent."""
        own = sum(self.costs[name].seconds for name in CHARGED)
        return own + self.elsewhere_charged_seconds

    @property
    def elsewhere_charged_seconds(self) -> float:
        """The part of them that other processes have spent."""
        return sum(self.elsewhere[name].seconds for name in CHARGED if name in self.elsewhere)

    def total(self) -> dict[str, dict[str, Any]]:
        """The costs of each phase, wherever they were spent, as plain data."""
        sums = self.state_dict()
        for name, cost in self.elsewhere.items():
            sums[name] = {key: sums[name][key] + value for key, value in vars(cost).items()}
        return sums

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """The costs of each phase here, as plain data."""
        return {name: {**vars(cost)} for name, cost in self.costs.items()}

    def elsewhere_state(self) -> dict[str, dict[str, Any]]:
        """What other processes have spent, by phase, as plain data for `add`; empty for nothing."""
        return {name: {**vars(cost)} for name, cost in self.elsewhere.items()}

    def load_state_dict(self, state: dict[str, dict[str, Any]]) -> None:
        """Go on from costs that were saved; phases that have run since are dropped."""
        self.costs = {name: Cost(**state[name]) for name in PHASES}

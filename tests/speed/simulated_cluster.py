"""The driver of hundreds of GPUs: invented durations and failures, real scheduling code.

    python tests/speed/simulated_cluster.py [N_TRIALS] [N_SLOTS]

Prints how busy the simulated GPUs were, while there was work to hand out and in all, and what the
driver cost a trial: for units in the plan's order, and for the longest first at the end. The run
directory is real, in memory where the system has /dev/shm: the pace of a disk is not the question.
"""

import heapq
import math
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

from augbench.bench.driver import longest_first
from augbench.bench.driver.schedule import Tally, work_through
from augbench.bench.engines.engine import Outcome
from augbench.bench.plan.spec import TrialSpec, UnitId
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.run_directory import RunDirectory
from by_hand import end

# Of a trial, in seconds: those of a method differ little, methods by a factor of ten.
MEDIANS = {"none": 300, "fixed": 320, "trivialaugment": 400, "augnet": 1200, "randaugment": 3000}
SPREAD = 0.2  # of their logarithms
CRASHES = 0.02  # of attempts, each at a moment of its own; what they did is not lost


class SimulatedEngine:
    """Ends units in the order of an invented clock, to which the driver's own time is added."""

    def __init__(
        self, run: RunDirectory, slots: int, seed: int, medians: Mapping[UnitId, float]
    ) -> None:
        self.slots, self._run, self._medians = slots, run, medians
        self._random = random.Random(seed)
        self._left: dict[UnitId, float] = {}  # seconds of work of units that crashed
        self._flight: list[tuple[float, UnitId, bool]] = []
        self.spans: list[tuple[float, float]] = []  # when GPUs were busy
        self.now = self.full_until = 0.0
        self.crashes = 0
        self._looked = time.perf_counter()

    def _tick(self) -> None:
        """The simulated GPUs go on, or stand idle, while the driver works."""
        now = time.perf_counter()
        self.now += now - self._looked
        self._looked = now

    def submit(self, unit: UnitId) -> None:
        """A unit takes as long as is drawn for it, or crashes before."""
        self._tick()
        seconds = self._left.pop(unit, None) or self._random.lognormvariate(
            math.log(self._medians[unit]), SPREAD
        )
        crashes = self._random.random() < CRASHES
        if crashes:
            done = self._random.random() * seconds
            self._left[unit], seconds = seconds - done, done
        self.spans.append((self.now, self.now + seconds))
        heapq.heappush(self._flight, (self.now + seconds, unit, crashes))
        if len(self._flight) == self.slots:
            self.full_until = self.now

    def wait(self, seconds: float) -> list[Outcome]:
        """Let the clock run to the next end, but no further than that."""
        self._tick()
        until = max(self.now, min(self._flight[0][0], self.now + seconds))
        self.now = until
        outcomes = []
        while self._flight and self._flight[0][0] <= until:
            _, unit, crashed = heapq.heappop(self._flight)
            self.crashes += crashed
            if not crashed:
                end(self._run.unit(unit))
            outcomes.append(Outcome(unit, "crashed" if crashed else "done", "as drawn"))
        return outcomes

    def close(self) -> None:
        """Nothing is held."""

    def utilisation(self, until: float) -> float:
        """The share of all GPU time up to a moment in which units were done."""
        busy = sum(min(end, until) - start for start, end in self.spans if start < until)
        return busy / (self.slots * until)


def planned(n_trials: int) -> list[TrialSpec]:
    """So many trials of a suite."""
    n_seeds = math.ceil(n_trials / len(MEDIANS))
    tables = {
        "name": "simulated",
        "folds": 1,
        "seeds": list(range(n_seeds)),
        "tasks": {"digits": {}},
        "methods": {name: {} for name in MEDIANS},
    }
    return [trial.spec for trial in read_suite(tables, "simulated").plan][:n_trials]


def simulate(specs: list[TrialSpec], slots: int, folder: Path) -> None:
    """Drive them all and print what it took."""
    run = RunDirectory(folder)
    run.events_file.touch()
    medians = {spec.unit: float(MEDIANS[spec.method]) for spec in specs}
    engine, tally = SimulatedEngine(run, slots, 0, medians), Tally()
    began, processor = time.perf_counter(), time.process_time()
    work_through(run, specs, engine, tally, tick_seconds=30.0, clock=lambda: engine.now)
    took, computed = time.perf_counter() - began, time.process_time() - processor
    n_trials = len(specs)
    print(f"{tally.finished} of {n_trials} trials on {slots} GPUs, {engine.crashes} crashes")
    print(f"makespan: {engine.now / 3600:.2f} simulated hours")
    print(f"utilisation: {engine.utilisation(engine.now):.4f} (at least 0.99 wanted)")
    print(f"  until the last was handed out: {engine.utilisation(engine.full_until):.4f}")
    print(
        f"driver: {took:.0f} s, {1e3 * took / n_trials:.2f} ms a trial "
        f"({1e3 * computed / n_trials:.2f} ms of a core)"
    )
    print(f"failed: {len(tally.failed)}")


def main() -> None:
    n_trials, slots = (int(word) for word in (*sys.argv[1:], "10000", "200")[:2])
    specs = planned(n_trials)
    memory = Path("/dev/shm")
    orders = {"the plan's order": 0, "the longest first at the end": longest_first.END}
    for order, n_waiting in orders.items():
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            print(f"\n{order}")
            with patch.object(longest_first, "END", n_waiting):
                simulate(specs, slots, Path(folder))


if __name__ == "__main__":
    main()

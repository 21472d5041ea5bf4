"""The driver of a thousand GPUs: invented durations and failures, real scheduling code.

    python tests/speed/simulated_cluster.py [N_TRIALS] [N_SLOTS]

Prints how busy the simulated GPUs were, while there was work to hand out and in all, and what the
driver cost a trial. The run directory is real, in memory where the system has /dev/shm: the pace of
a disk is not the question here.
"""

import heapq
import math
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from augbench.bench.driver.schedule import Tally, work_through
from augbench.bench.engines.engine import Outcome
from augbench.bench.plan.spec import TrialSpec, UnitId
from augbench.bench.plan.suite import read_suite
from augbench.bench.store.run_directory import RunDirectory
from by_hand import end

MEAN_SECONDS = 600.0  # of a trial; log-normal, so that some take many times as long
SPREAD = 0.5
CRASHES = 0.02  # of attempts, each at a moment of its own; what they did is not lost
METHODS = ("none", "fixed", "trivialaugment", "augnet", "randaugment")


class SimulatedEngine:
    """Ends units in the order of an invented clock, to which the driver's own time is added."""

    def __init__(self, run: RunDirectory, slots: int, seed: int) -> None:
        self.slots, self._run = slots, run
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
            math.log(MEAN_SECONDS) - SPREAD**2 / 2, SPREAD
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


def planned(n_trials: int) -> Sequence[TrialSpec]:
    """So many trials of a suite."""
    n_seeds = math.ceil(n_trials / len(METHODS))
    tables = {
        "name": "simulated",
        "folds": 1,
        "seeds": list(range(n_seeds)),
        "tasks": {"digits": {}},
        "methods": {name: {} for name in METHODS},
    }
    return [trial.spec for trial in read_suite(tables, "simulated").plan][:n_trials]


def simulate(n_trials: int, slots: int, folder: Path) -> None:
    """Drive them all and print what it took."""
    specs = planned(n_trials)
    run = RunDirectory(folder)
    run.events_file.touch()
    engine, tally = SimulatedEngine(run, slots, seed=0), Tally()
    began, processor = time.perf_counter(), time.process_time()
    work_through(run, specs, engine, tally, tick_seconds=30.0)
    took, computed = time.perf_counter() - began, time.process_time() - processor
    print(f"{tally.finished} of {n_trials} trials on {slots} GPUs, {engine.crashes} crashes")
    print(f"makespan: {engine.now / 3600:.1f} simulated hours")
    print(f"utilisation: {engine.utilisation(engine.now):.3f} (at least 0.97 wanted)")
    print(f"  until the last was handed out: {engine.utilisation(engine.full_until):.4f}")
    print(
        f"driver: {took:.0f} s, {1e3 * took / n_trials:.2f} ms a trial "
        f"({1e3 * computed / n_trials:.2f} ms of a core)"
    )
    print(f"failed: {len(tally.failed)}")


def main() -> None:
    n_trials, slots = (int(word) for word in (*sys.argv[1:], "100000", "1000")[:2])
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        simulate(n_trials, slots, Path(folder))


if __name__ == "__main__":
    main()

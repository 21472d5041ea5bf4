"""What grows with the data and with a run: each line should have the same cost per item.

    python tests/speed/growth.py [LARGEST]

- An epoch on an .npz of so many windows of 4 x 100 (a tenth, a hundredth and all of LARGEST,
  100,000 by default) by the small network `mlp`, each in a process of its own: microseconds of the
  processor for a window, and the memory of its own beside what it has after the first of them.
- `augbench status` and `augbench report` of runs with so many points in ten trials, and with a
  tenth of so many trials of one point: processor milliseconds for each beyond what a run of one
  trial takes. (Most of this script's own time is the making of these runs.)
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from augbench.bench.plan.suite import read_suite
from augbench.bench.store.files import append_lines, write_json
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from by_hand import begin, end, model_row

WRITE = """
import sys
import numpy as np

n = int(sys.argv[2])
random = np.random.default_rng(0)
x = random.standard_normal((n, 4, 100), dtype=np.float32)
np.savez(sys.argv[1], x=x, y=random.integers(0, 3, n), sampling_rate=100.0)
"""
EPOCH = """
import sys, time
from pathlib import Path
import torch
from augbench.bench.plan.suite import load_suite
from augbench.bench.unit.job import trial_job
from augbench.bench.store.ledger import Ledger

def own():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in lines[1:]}["Anonymous:"] / 1e3

torch.set_num_threads(1)
(planned,) = load_suite(Path(sys.argv[1])).plan
ledger, cpu = Ledger(), torch.device("cpu")
job = trial_job(planned.spec.to_json(), Path(sys.argv[2]), device=cpu, meter=ledger)
before = time.process_time()
with ledger.phase("search"):
    job.method.step()
print(time.process_time() - before, own())
"""
SUITE = """
name = "grows"
folds = [0]
[tasks.mine]
task = "arrays"
path = "mine.npz"
trunk = "mlp"
training = {{ epochs = 2, batch_size = 64 }}
[methods.none]
"""


def epoch(n_windows: int, folder: Path) -> tuple[float, float]:
    """Processor microseconds of an epoch for each window, and megabytes of the process's own."""
    data = folder / str(n_windows)
    data.mkdir()
    suite = data / "suite.toml"
    suite.write_text(SUITE.format())
    subprocess.run([sys.executable, "-c", WRITE, data / "mine.npz", str(n_windows)], check=True)
    words = [sys.executable, "-c", EPOCH, suite, data]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    seconds, own = map(float, done.stdout.split())
    (data / "mine.npz").unlink()
    return 1e6 * seconds / n_windows, own


def run_of(folder: Path, n_trials: int, n_points: int) -> Path:
    """A run directory of finished trials with so many points each."""
    suite = {
        "name": "grown",
        "folds": 1,
        "seeds": list(range(n_trials)),
        "tasks": {"digits": {}},
        "methods": {"none": {}},
    }
    folder.mkdir()
    write_json(folder / "run.json", {"schema": SCHEMA, "name": "grown", "suite": suite})
    run = RunDirectory(folder)
    for trial in read_suite(suite, "grown").plan:
        unit = run.add_unit(trial.spec.unit, trial.spec.to_json())
        attempt = begin(unit)
        append_lines(
            attempt.points_file, (model_row(k) for k in range(1, n_points + 1)), sync=False
        )
        end(unit)
    return folder


def processor_seconds(*words: str | Path) -> float:
    """Of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(folder: Path, sizes: list[int]) -> None:
    """Lines of status and report."""
    augbench = (sys.executable, "-m", "augbench.bench")

    def both(run: Path) -> tuple[float, float]:
        status = processor_seconds(*augbench, "status", run)
        return status, processor_seconds(*augbench, "report", run, "-o", run / "page.html")

    base = both(run_of(folder / "one", 1, 1))
    print(f"{'':24}{'status ms each':>16}{'report ms each':>16}")
    trials = [("trials of 1 point", n // 10, (n // 10, 1)) for n in sizes]
    points = [("points in 10 trials", n, (10, n // 10)) for n in sizes]
    for name, n, shape in points + trials:
        found = both(run_of(folder / f"{name}{n}", *shape))
        each = [1e3 * (took - first) / n for took, first in zip(found, base, strict=True)]
        print(f"{n:8} {name:20}{each[0]:11.3f}{each[1]:16.3f}", flush=True)


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    sizes = [largest // 100, largest // 10, largest]
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        os.environ["AUGBENCH_CACHE"] = str(Path(name) / "cache")
        print(f"{'windows':>8}{'us each':>12}{'own MB':>10}")
        for n in sizes:
            each, own = epoch(n, Path(name))
            print(f"{n:8}{each:12.1f}{own:10.0f}", flush=True)
        commands(Path(name), sizes)


if __name__ == "__main__":
    main()

"""Prints the memory and time that an .npz of 480 MB of EEG takes, each in a fresh process.

Run it by ``make speed`` or ``python tests/speed/arrays.py [MB]``. Peak is the largest resident
memory of the process over the size of the file, with torch and numpy; own is the memory that no
file backs and that the process did not have after its imports. A first process prepares, a
second one maps; the third and fourth do the same for a fold and read all of it once.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

WRITE = """
import sys
from pathlib import Path
import numpy as np

folder, n = Path(sys.argv[1]), int(float(sys.argv[2]) * 1e6 / (4 * 8 * 3000))
random = np.random.default_rng(0)
x = random.standard_normal((n, 8, 3000), dtype=np.float32)
y, groups = random.integers(0, 5, n), np.arange(n) // 50
np.savez(folder / "mine.npz", x=x, y=y, groups=groups, sampling_rate=100.0)
"""

PROCESS = """
import resource, sys, time
from pathlib import Path
import torch
from augbench.datasets.arrays import arrays
from augbench.datasets.options.tasks import ArraysOptions

def own():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Anonymous:"] / 1e3

data, standardise, use_fold = Path(sys.argv[1]), sys.argv[2] == "1", sys.argv[3] == "1"
before, start = own(), time.perf_counter()
task = arrays(ArraysOptions(path="mine.npz", standardise=standardise), data, 0)
if use_fold:
    fold = task.fold(0)
seconds = time.perf_counter() - start
after = own()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(f"{peak:.0f} {after - before:.1f} {seconds:.2f} {task.fingerprint}")
"""


def measure(folder: Path, megabytes: float, *, standardise: bool, fold: bool, name: str) -> None:
    """One line, of one fresh process."""
    words = [sys.executable, "-c", PROCESS, str(folder), str(int(standardise)), str(int(fold))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    peak, own, seconds, digest = done.stdout.split()
    print(
        f"  {name:26s} peak {float(peak) / megabytes:5.2f} x ({peak} MB)  own {own:>6s} MB  "
        f"{seconds:>6s} s  {digest}"
    )


def main() -> None:
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 480.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: the peak of a process includes that of the one that started it.
        subprocess.run([sys.executable, "-c", WRITE, name, str(megabytes)], check=True)
        for standardise in (False, True):
            os.environ["AUGBENCH_CACHE"] = str(folder / f"cache-{standardise}")
            print(f"{megabytes:.0f} MB, {'with' if standardise else 'without'} standardise")
            for fold, name in (
                (False, "prepares"),
                (False, "maps"),
                (True, "prepares a fold"),
                (True, "maps a fold"),
            ):
                measure(folder, megabytes, standardise=standardise, fold=fold, name=name)


if __name__ == "__main__":
    main()

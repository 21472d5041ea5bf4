"""Prints what a night takes: to prepare it on one core, to map many, and what a worker holds.

Run it by ``make speed`` or ``python tests/speed/nights.py [NIGHTS]`` (6 by default; 60 need 6 GB of
disk). A night of noise of 8 h is written in the layout of MASS (7 channels at 256 Hz) and of
Sleep-EDF (2 at 100 Hz); the others are links to its files. Every line is of a fresh process; time
on its processor is what counts where others use it too. Own is the memory that no file backs, and
that the process did not have after its imports.
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
from edf_files import write_edf
from nights import MASS, notes_of

folder, n = Path(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(0)
pages = random.choice(list("W1233R"), 960)
rates = {"mass": 256, "sleep_edf": 100}
names = {"mass": [f"EEG {c}-CLE" for c in (*MASS, "A2")], "sleep_edf": ["EEG Fpz-Cz", "EEG Pz-Oz"]}
for task, rate in rates.items():
    signals = {name: 30 * random.standard_normal(960 * 30 * rate) for name in names[task]}
    for k in range(n):
        night = f"01-03-{k + 1:04d}" if task == "mass" else f"SC4{k:02d}1E"
        psg = night + (" PSG.edf" if task == "mass" else "0-PSG.edf")
        scores = night + (" Base.edf" if task == "mass" else "C-Hypnogram.edf")
        if k == 0:
            first = write_edf(folder / task / psg, signals, rate)
            scored = write_edf(
                folder / task / scores, {}, notes=notes_of(pages, merged=task != "mass")
            )
        else:
            (folder / task / psg).symlink_to(first)
            (folder / task / scores).symlink_to(scored)
"""

PROCESS = """
import resource, sys, time, warnings
from pathlib import Path
import torch
from augbench.datasets import TASKS
from augbench.datasets.options.row import resolve

warnings.simplefilter("ignore")

def own():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    kilobytes = {line.split()[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Anonymous:"] / 1e3

data, name, n, reads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1"
row = TASKS[name]
build = resolve(row.build)
before = own()
start, busy = time.perf_counter(), time.process_time()
if n == 1:
    from augbench.datasets import recordings as module
    def stop(sources, how):
        module_prepare(sources[:1], how)
        raise SystemExit
    module_prepare, module.prepare_all = module.prepare_all, stop
try:
    task = build(row.options(nights=n), data, 0)
    fold = task.fold(0)
    if reads:
        for split in (fold.views.train, fold.views.model_valid, fold.test):
            for rows in torch.randperm(len(split.y)).split(16):
                split.x[rows].sum()
except SystemExit:
    pass
seconds, busy = time.perf_counter() - start, time.process_time() - busy
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
print(f"{seconds:.2f} {busy:.2f} {own() - before:.1f} {peak:.0f}")
"""


def measure(folder: Path, task: str, n: int, *, reads: bool, what: str) -> None:
    """One line, of one fresh process."""
    words = [sys.executable, "-c", PROCESS, str(folder), task, str(n), str(int(reads))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds, busy, own, peak = done.stdout.split()
    print(
        f"  {task:10s} {what:30s} {seconds:>7s} s  {busy:>6s} s of CPU  own {own:>6s} MB  "
        f"peak {peak:>5s} MB",
        flush=True,
    )


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["AUGBENCH_CACHE"] = str(folder / "cache")
        # In a process of its own: the peak of a process includes that of the one that started it.
        subprocess.run([sys.executable, "-c", WRITE, name, str(n)], check=True)
        for task in ("mass", "sleep_edf"):
            measure(folder, task, 1, reads=False, what="prepares one night, 8 h")
            measure(folder, task, n, reads=False, what=f"prepares {n} nights and a fold")
            measure(folder, task, n, reads=False, what=f"maps {n} nights and a fold")
            measure(folder, task, n, reads=True, what="reads all windows of the fold")


if __name__ == "__main__":
    main()

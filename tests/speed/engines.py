"""How much faster two workers are than one on equal trials, and what a finished run costs again.

    python tests/speed/engines.py [N_TRIALS]

Ratios of whole commands in one run, on a machine that should be doing nothing else.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUITE = """
name = "equal"
folds = 1
seeds = {seeds}
[tasks.sinusoids]
n_train = 500
training = {{ epochs = 100, patience = 100 }}
[methods.none]
"""


def seconds(*words: str | Path) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    n_trials = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = folder / "equal.toml"
        suite.write_text(SUITE.format(seeds=list(range(n_trials))))
        walls = {
            n: seconds(
                "-m", "augbench.bench", "run", suite, "--workers", str(n), "--out", folder / str(n)
            )
            for n in (1, 2)
        }
        again = seconds("-m", "augbench.bench", "run", suite, "--out", folder / "2")
        start_up = seconds("-m", "augbench.bench", "--help")
    print(f"{n_trials} equal trials, whole command, Ray's start included")
    for n, wall in walls.items():
        print(f"  {n} worker{'s' if n > 1 else ' '}  {wall:7.1f} s")
    print(f"  ratio      {walls[1] / walls[2]:7.2f}")
    print(f"finished run again: {again:.2f} s, of which {start_up:.2f} s are the imports")


if __name__ == "__main__":
    main()

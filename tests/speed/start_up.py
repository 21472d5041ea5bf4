"""How long a command takes that computes nothing, as a ratio to importing typer and pydantic.

Medians of 9, in turns, and the peak memory of one process each. Run on a quiet machine.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite

N_RUNS = 9
IMPORTS = (sys.executable, "-c", "import typer, pydantic")
AUGBENCH = str(Path(sys.executable).with_name("augbench"))
SUITE = """
name = "fifty"
folds = 5
seeds = [0, 1, 2, 3, 4]
[tasks.digits]
training = { epochs = 1 }
[methods.none]
[methods.randaugment]
"""
# Peak memory of a command that a small process starts and waits for.
PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def seconds(words: Sequence[str]) -> float:
    began = perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - began


def peak_megabytes(words: Sequence[str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *words], capture_output=True, text=True, check=True
    )
    return int(done.stdout) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        suite, out = Path(folder) / "suite.toml", Path(folder) / "run"
        suite.write_text(SUITE)
        options = RunOptions(out, Path(folder), engine="inline")
        assert run_suite(load_suite(suite), options, Console(quiet=True))
        commands = {
            "python -c 'import typer, pydantic'": IMPORTS,
            "augbench --help": (AUGBENCH, "--help"),
            "augbench --version": (AUGBENCH, "--version"),
            "augbench status, 50 trials done": (AUGBENCH, "status", str(out)),
            "augbench plan quickstart": (AUGBENCH, "plan", "quickstart"),
            "augbench methods": (AUGBENCH, "methods"),
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(N_RUNS):
            for name, words in commands.items():
                times[name].append(seconds(words))
        base = median(times["python -c 'import typer, pydantic'"])
        print(f"{'':38}{'ms':>8}{'ratio':>8}{'peak MB':>10}")
        for name, words in commands.items():
            found = median(times[name])
            peak = peak_megabytes(words)
            print(f"{name:38}{1000 * found:8.0f}{found / base:8.2f}{peak:10.0f}")


if __name__ == "__main__":
    main()

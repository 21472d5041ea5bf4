"""Two workers beside one on equal trials, the time until the first begins, a finished run again.

    python tests/speed/engines.py [N_TRIALS] [EPOCHS]

Ratios of whole commands in one run, on a machine that should be doing nothing else. `ideal` is half
of what one process took for all trials, without the start of either command.
"""

import json
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
training = {{ epochs = {epochs}, patience = {epochs} }}
[methods.none]
"""


def seconds(*words: str | Path) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def log_times(run: Path, event: str) -> list[float]:
    """When each attempt of a run noted an event, in seconds since 1970."""
    lines = [
        json.loads(line)
        for log in run.glob("trials/*/attempts/*/log.jsonl")
        for line in log.read_text().splitlines()
    ]
    return [line["time"] for line in lines if line["event"] == event]


def main() -> None:
    n_trials, epochs = (int(word) for word in (*sys.argv[1:], "4", "200")[:2])
    ways = {"inline": ("--engine", "inline"), "Ray, 2 workers": ("--workers", "2")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite = folder / "equal.toml"
        suite.write_text(SUITE.format(seeds=list(range(n_trials)), epochs=epochs))
        print(f"{n_trials} equal trials of {epochs} epochs")
        print(f"{'':16}{'command s':>10}{'first trial s':>15}{'trials s':>10}{'of ideal':>10}")
        alone = 0.0
        for number, (way, words) in enumerate(ways.items()):
            out, began = folder / str(number), time.time()
            wall = seconds("-m", "augbench.bench", "run", suite, *words, "--out", out)
            first = min(log_times(out, "start"))
            trials = max(log_times(out, "end")) - first
            alone = alone or trials
            ideal = alone / (2 if "2" in way else 1)
            print(f"{way:16}{wall:10.1f}{first - began:15.1f}{trials:10.1f}{ideal / trials:10.2f}")
        again = seconds("-m", "augbench.bench", "run", suite, "--out", folder / "1")
        start_up = seconds("-m", "augbench.bench", "--help")
    print(f"finished run again: {again:.2f} s, of which {start_up:.2f} s are the imports")


if __name__ == "__main__":
    main()

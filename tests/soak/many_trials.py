"""Thousands of trials that do next to nothing: what the harness itself costs, and whether it grows.

    python tests/soak/many_trials.py [N_TRIALS]

On a machine that should be doing nothing else: a trial's cost is all that its processors did.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUITE = """
name = "trivial"
folds = 4
seeds = {seeds}
[tasks.sinusoids]
n_train = 40
training = {{ epochs = 1, patience = 1 }}
[methods.none]
"""
WARM = 0.1  # the share of all trials after which memory is expected to stay as it is


def resident_mb(process: int) -> float:
    """The memory of a process."""
    n_pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return n_pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy_seconds() -> float:
    """What all processors have worked since the machine was started."""
    user, nice, system, _, _, irq, softirq, *_ = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def seconds(*words: str | Path) -> float:
    began = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    n_trials = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    command = (sys.executable, "-m", "augbench.bench")
    with tempfile.TemporaryDirectory() as name:
        suite, out = Path(name) / "trivial.toml", Path(name) / "run"
        suite.write_text(SUITE.format(seeds=list(range(n_trials // 4))))
        began, busy = time.perf_counter(), busy_seconds()
        driver = subprocess.Popen([*command, "run", suite, "--out", out], stdout=subprocess.DEVNULL)
        memory: list[tuple[int, float]] = []  # trials that are done, and the driver's size
        while driver.poll() is None:
            time.sleep(1.0)
            n_done = len(list(out.glob("trials/*/result.json")))
            if driver.poll() is None:
                memory.append((n_done, resident_mb(driver.pid)))
        wall, worked = time.perf_counter() - began, busy_seconds() - busy
        assert driver.returncode == 0, "the run is not complete"
        warm = [size for n_done, size in memory if n_done >= WARM * n_trials]
        print(f"{n_trials} trials in {wall:.0f} s: {wall / n_trials:.3f} s each on two slots")
        print(f"processors: {worked / n_trials:.3f} core seconds a trial (at most 0.6 wanted)")
        print(
            f"driver: {warm[0]:.0f} MB after {WARM:.0%} of the trials, at most {max(warm):.0f} MB, "
            f"{warm[-1]:.0f} MB in the end (less than 100 MB of growth wanted)"
        )
        listing = seconds("ls", "-l", out / "trials")
        status = seconds(*command, "status", out)
        start_up = seconds(*command, "status", "--help")
        print(f"ls: {listing:.2f} s; status: {status:.2f} s, of which {start_up:.2f} s to begin")
        print(f"the same command again: {seconds(*command, 'run', suite, '--out', out):.2f} s")


if __name__ == "__main__":
    main()

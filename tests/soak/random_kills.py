"""Hundreds of trials while processes of all kinds are killed at random: is anything lost, and does
what it cost add up?

    python tests/soak/random_kills.py [N_TRIALS] [SECONDS_BETWEEN_KILLS]

Of each kill the victim is a unit's process, its zygote or Ray's worker, drawn from a seed. Then the
same suite is run undisturbed in one process and compared to the last bit.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from bench.accounts import imbalance
from bench.points import open_run, read_points
from bench.states import read_trials

SUITE = """
name = "kills"
folds = 4
seeds = {seeds}
[tasks.sinusoids]
n_train = 200
training = {{ epochs = 40, patience = 40 }}
[methods.none]
[methods.augnet]
layers = [["frequency_shift"]]
"""


def processes() -> dict[int, tuple[int, str]]:
    """Of every process that lives its parent and its command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            found[int(folder.name)] = (parent, words)
    return found


def victims(driver: int) -> list[tuple[str, int]]:
    """What can be killed of a driver's own: units, zygotes, workers of Ray."""
    every = processes()

    def is_ours(process: int) -> bool:
        while process in every and process != driver:
            process = every[process][0]
        return process == driver

    found = []
    for process, (parent, words) in every.items():
        if not is_ours(process):
            continue
        if "bench.engines.zygote" in words:
            forked = "bench.engines.zygote" in every.get(parent, (0, ""))[1]
            found.append(("unit" if forked else "zygote", process))
        elif words.startswith("ray::attempt"):
            found.append(("worker", process))
    return found


def main() -> None:
    n_trials, pause = (float(word) for word in (*sys.argv[1:], "200", "6")[:2])
    draw = random.Random(0)
    command = [sys.executable, "-m", "bench.cli", "run"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        suite, out = folder / "kills.toml", folder / "run"
        suite.write_text(SUITE.format(seeds=list(range(int(n_trials / 8)))))
        kills: Counter[str] = Counter()
        n_commands, code = 0, None
        while code != 0:  # a unit that crashed three times is the next command's
            n_commands += 1
            driver = subprocess.Popen([*command, suite, "--out", out], stdout=subprocess.DEVNULL)
            due = time.monotonic() + pause
            while (code := driver.poll()) is None:
                time.sleep(0.05)
                if time.monotonic() < due:
                    continue
                due += pause
                kinds = victims(driver.pid)
                if kinds:
                    kind = draw.choice(sorted({kind for kind, _ in kinds}))
                    victim = draw.choice([each for each_kind, each in kinds if each_kind == kind])
                    with suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                        kills[kind] += 1
        run, read = open_run(out)
        trials = read_trials(run, read.plan)
        print(f"{n_commands} commands, kills: {dict(kills)}")
        print(f"states: {dict(Counter(trial['state'] for trial in trials))}")
        units = [run.unit(planned.spec.unit) for planned in read.plan]
        attempts = Counter(len(unit.attempts()) for unit in units)
        print(f"attempts a trial: {dict(sorted(attempts.items()))}")
        results = [unit.result() or {} for unit in units]
        charged = sum(cost["seconds"] for each in results for cost in each["costs"].values())
        wasted = sum(each["wasted"]["seconds"] for each in results)
        print(f"measured {charged:.3f} s + wasted {wasted:.3f} s")
        worst = max(abs(imbalance(unit)) for unit in units)
        print(f"against what the attempts report: {1e3 * worst:.3f} ms off, the worst trial")
        subprocess.run(
            [*command, suite, "--engine", "inline", "--out", folder / "undisturbed"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        calm, _ = open_run(folder / "undisturbed")
        same = [
            timeless(each) for each in (read_points(run, read.plan), read_points(calm, read.plan))
        ]
        print(f"bits as undisturbed: {same[0] == same[1]}")


def timeless(points: list[dict[str, object]]) -> str:
    """Points but for what the clock says."""
    kept = [{k: v for k, v in point.items() if not k.startswith("hours")} for point in points]
    return json.dumps(kept)


if __name__ == "__main__":
    main()

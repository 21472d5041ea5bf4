"""Hundreds of trials while processes of all kinds are killed at random: is anything lost, and does
what it cost add up?

    PYTHONPATH=tests/kit python tests/soak/random_kills.py [N_TRIALS] [SECONDS_BETWEEN_KILLS]

Of each kill the victim is a unit's process, its zygote or Ray's worker, drawn from a seed. Then the
same suite is run undisturbed in one process and compared to the last bit.
"""

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

from augbench.bench.store.accounts import accounting_error
from augbench.bench.store.open_run import open_run
from augbench.bench.store.states import unit_state
from processes import comes_from, parents
from runs import timeless

COMMAND = (sys.executable, "-m", "augbench.bench", "run")
MOST_COMMANDS = 5

SUITE = """
name = "kills"
folds = 4
seeds = {seeds}
[tasks.sinusoids]
n_train = 200
training = {{ epochs = 20, patience = 20 }}
[methods.none]
[methods.augnet]
layers = [["frequency_shift"]]
"""


def victims(driver: int) -> dict[str, list[int]]:
    """What can be killed of a driver's own: units, zygotes, workers of Ray."""
    zygotes: set[int] = set()
    workers: set[int] = set()
    every = parents()
    for process in every:
        with suppress(OSError):  # it has ended
            words = Path(f"/proc/{process}/cmdline").read_bytes()
            if b"augbench.bench.engines.zygote" in words:
                zygotes.add(process)
            elif words.startswith(b"ray::attempt"):
                workers.add(process)
    units = {each for each in zygotes if every[each] in zygotes}
    kinds = {"unit": units, "zygote": zygotes - units, "worker": workers}
    ours = {kind: sorted(e for e in each if comes_from(e, driver)) for kind, each in kinds.items()}
    return {kind: each for kind, each in ours.items() if each}


def under_kills(suite: Path, out: Path, pause: float) -> Counter[str]:
    """Run a suite, a process killed now and then, until all is done; how many of each kind were.

    A trial that lost its process three times is left to the next command.
    """
    draw = random.Random(0)
    kills: Counter[str] = Counter()
    for _ in range(MOST_COMMANDS):
        driver = subprocess.Popen([*COMMAND, suite, "--out", out], stdout=subprocess.DEVNULL)
        kills["command"] += 1
        due = time.monotonic() + pause
        while driver.poll() is None:
            time.sleep(0.05)
            kinds = victims(driver.pid) if time.monotonic() >= due else {}
            if kinds:
                due = time.monotonic() + pause
                kind = draw.choice(sorted(kinds))
                with suppress(ProcessLookupError):
                    os.kill(draw.choice(kinds[kind]), signal.SIGKILL)
                    kills[kind] += 1
        if driver.returncode == 0:
            break
    return kills


def report(out: Path) -> None:
    """Print what became of the trials, and whether their accounts balance."""
    run, read = open_run(out)
    units = [run.unit(planned.spec.unit) for planned in read.plan]
    states = Counter(unit_state(unit)[0] for unit in units)
    attempts = Counter(len(unit.attempts()) for unit in units)
    print(f"states: {dict(states)}; attempts a trial: {dict(sorted(attempts.items()))}")
    results = [unit.result() for unit in units]
    done = [result for result in results if result is not None]
    measured = sum(cost["seconds"] for result in done for cost in result["costs"].values())
    wasted = sum(result["wasted"]["seconds"] for result in done)
    print(f"measured {measured:.3f} s + wasted {wasted:.3f} s")
    worst = max(abs(accounting_error(unit)) for unit in units if unit.result() is not None)
    print(f"against what the attempts report: {1e3 * worst:.3f} ms off, the worst trial")


def main() -> None:
    n_trials, pause = (float(word) for word in (*sys.argv[1:], "200", "6")[:2])
    with tempfile.TemporaryDirectory() as name:
        suite, out, calm = (Path(name) / each for each in ("kills.toml", "run", "calm"))
        suite.write_text(SUITE.format(seeds=list(range(int(n_trials / 8)))))
        kills = under_kills(suite, out, pause)
        print(f"{kills.pop('command')} commands, {kills.total()} kills: {dict(kills)}")
        report([out])
        words = [*COMMAND, suite, "--engine", "inline", "--out", calm]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        print(f"bits as undisturbed: {timeless(out) == timeless(calm)}")


if __name__ == "__main__":
    main()

"""What the harness costs beside a trial's own work, in shares of what the method is charged.

    python tests/speed/harness.py [SECONDS]

Each trial runs in a process of its own with its real task, for about so many seconds (default 20):
``none`` on ssvep (EEGNet) where AUGBENCH_DATA has it, and on the digits (a small network, whose
epochs take a tenth of a second, the worst case). Columns: checkpoints and results (the ledger's
phase `store`, wall time); the rest (processor time of the process from its first step on that no
phase has: progress, pulse, rows); both together, wanted: at most 1 %. Set-up is its own column.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from augbench.bench.store.phases import CHARGED

DO_UNIT = """
import json, sys, time
from pathlib import Path

from rich.console import Console

from augbench.bench.driver.prepare import prepare
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.host import Host
from augbench.bench.unit.work import do_unit

suite, out, data = map(Path, sys.argv[1:4])
(planned,) = load_suite(suite).plan
run = RunDirectory(out)
out.mkdir()
run.events_file.touch()
unit = planned.spec.unit
prepare(run, [planned], data)
run.add_unit(unit, planned.spec.to_json())
before = time.process_time()
do_unit(run, unit, Host(data))
after = time.process_time() - before
costs = run.unit(unit).result()["costs"]
print(json.dumps({"processor": after, "costs": costs, "steps": run.unit(unit).result()["steps"]}))
"""
SUITE = """
name = "one"
folds = [0]
[tasks.{task}]
training = {{ epochs = 100000, patience = 100000 }}
[methods.none]
[budget]
device_hours = {hours}
"""


def measure(task: str, seconds: float, data: str) -> None:
    """One line, of one trial."""
    with tempfile.TemporaryDirectory() as name:
        suite, out = Path(name) / "suite.toml", Path(name) / "run"
        suite.write_text(SUITE.format(task=task, hours=seconds / 3600))
        words = [sys.executable, "-c", DO_UNIT, str(suite), str(out), data]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    costs = found["costs"]
    charged = sum(costs[phase]["seconds"] for phase in CHARGED)
    measured = sum(cost["cpu_seconds"] for cost in costs.values())
    store, rest = costs["store"]["seconds"], found["processor"] - measured
    setup, scoring = costs["setup"]["seconds"], costs["evaluate"]["seconds"]
    print(
        f"{task:10} {found['steps']:6} {charged:9.1f} s {store / charged:9.2%}"
        f" {rest / charged:8.2%} {(store + rest) / charged:8.2%}"
        f" {scoring / charged:9.2%} {setup:7.2f} s"
    )


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    data = os.environ.get("AUGBENCH_DATA", "")
    print(
        f"{'task':10} {'steps':>6} {'charged':>11} {'store':>9} {'rest':>8} {'both':>8} "
        f"{'scoring':>9} {'set-up':>9}"
    )
    for task in ("ssvep", "digits") if data else ("digits",):
        measure(task, seconds, data or ".")


if __name__ == "__main__":
    main()

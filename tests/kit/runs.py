"""Whole runs in this process, and what two of one suite must share: `from runs import ...`."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import load_suite
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points


def timeless(path: Path) -> tuple[list[dict[str, Any]], dict[str, tuple[str, str]]]:
    """All that must be equal to the last bit.

    The points, but for what the clocks say, and the digests of the best weights of every unit and
    of what they predict.
    """
    run, suite = open_run(path)
    points = [
        {k: v for k, v in point.items() if not k.startswith("hours") and k != "busy"}
        for point in read_points(run, suite.plan)
    ]
    models = {}
    for file in sorted(run.path.glob("*/*/result.json")):
        result = json.loads(file.read_text())
        digests = result["weights"], result["predictions_digest"]
        models[str(file.parent.relative_to(run.path))] = digests
    return points, models


def run_inline(suite: str, out: Path) -> Path:
    """Run a suite, given as TOML, to its end; its data are beside the run directory ``out``."""
    file = out.with_name(f"{out.name}.toml")
    file.write_text(suite, encoding="utf-8")
    options = RunOptions(out, out.parent, engine="inline")
    assert run_suite(load_suite(file), options, Console(quiet=True))
    return out

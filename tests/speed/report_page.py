"""Prints the time and size of a report's page at 100,000 points, and what its parts take.

Run it by ``make speed`` or ``python tests/speed/report_page.py [POINTS]``. A run of 15 methods,
5 folds and 2 seeds on one task, whose curves climb with noise. ``tables`` are the CSV files as
they are; the page holds the same curves, thinned to what can be seen.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.report import write_page
from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.frame import COSTS, POINT_COLUMNS, Results, results
from augbench.analysis.text import csv

FOLDS, SEEDS = 5, 2


def run_of(n_points: int) -> Results:
    """A run of so many points, evenly over its trials."""
    random = np.random.default_rng(0)
    each = n_points // (len(METHOD_STYLES) * FOLDS * SEEDS)
    number = np.arange(1, each + 1)
    points, trials = [], []
    for method in METHOD_STYLES:
        for fold in range(FOLDS):
            for seed in range(SEEDS):
                keys = {"task": "big", "method": method, "fold": fold, "seed": seed}
                keys["trial"] = f"{method}-{fold}-{seed}"
                hours = np.cumsum(random.uniform(0.5, 1.5, each)) / 100
                valid = 0.9 - 0.6 / np.sqrt(number) + random.normal(0, 0.02, each)
                costs = {
                    name: hours if name.startswith("hours") else 1000 * number + fold
                    for name in POINT_COLUMNS
                    if name in COSTS or name.startswith("hours") or name.endswith("_validation")
                }
                fixed = {"kind": "model", "metric": "accuracy", "device": "cpu", "shared": False}
                test = valid + random.normal(0, 0.02, each)
                scores = {"point": number, "step": number, "valid": valid, "test": test}
                points.append(pd.DataFrame(keys | scores | costs | fixed, index=number))
                counts = {"points_scored": each, "points_known": each, "wasted_seconds": 0.0}
                trials.append(keys | counts | {"state": "done", "reason": ""})
    return results(pd.concat(points), trials, "big")


def main() -> None:
    """A line for each part."""
    n_points = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    run = run_of(n_points)
    start = time.perf_counter()
    tables = [drawing.table(run, "big") for drawing in FIGURES.values()]
    seconds = time.perf_counter() - start
    size = sum(len(csv(table)) for table in tables) / 1e6
    print(f"{len(run.points)} points")
    print(f"  tables  {seconds:5.1f} s  {size:5.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        page = write_page(run, Path(folder) / "page.html")
        page_seconds, page_size = time.perf_counter() - start, page.stat().st_size / 1e6
    print(
        f"  page    {page_seconds:5.1f} s  {page_size:5.1f} MB  "
        f"{page_seconds / seconds:.1f} x the time, {page_size / size:.2f} x the size of the tables"
    )


if __name__ == "__main__":
    main()

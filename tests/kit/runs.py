"""What two runs of one suite must share, as `from runs import timeless`."""

import json
from pathlib import Path
from typing import Any

from augbench.bench.store.points import open_run, read_points


def timeless(path: Path) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All that must be equal to the last bit.

    The points, but for what the clocks say, and the digest of the best weights of every unit.
    """
    run, suite = open_run(path)
    points = [
        {k: v for k, v in point.items() if not k.startswith("hours") and k != "busy"}
        for point in read_points(run, suite.plan)
    ]
    weights = {
        str(file.parent.relative_to(run.path)): json.loads(file.read_text())["weights"]
        for file in sorted(run.path.glob("*/*/result.json"))
    }
    return points, weights

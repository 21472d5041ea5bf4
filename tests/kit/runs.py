"""What two runs of one suite must share, as `from runs import timeless`."""

import json
from pathlib import Path
from typing import Any

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

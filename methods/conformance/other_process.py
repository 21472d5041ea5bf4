"""A task in a fresh process, where sets and hashes of texts have another order."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

from augbench.datasets.options.row import TaskRow
from augbench.methods.conformance.finding import BrokenError

SCRIPT = """
import pickle, sys, warnings
warnings.simplefilter("ignore")
row, options, data, seed = pickle.load(sys.stdin.buffer)
from augbench.datasets.options.row import resolve
from augbench.methods.conformance.task_digest import task_digest
print(task_digest(resolve(row.build)(options, data, seed)))
"""


def digest_elsewhere(row: TaskRow, options: Any, data: Path, seed: int) -> str | None:
    """The digest of a task that another process builds; None where it cannot be handed there."""
    try:
        given = pickle.dumps((row, options, data, seed))
    except (pickle.PicklingError, AttributeError, TypeError):  # made inside a function
        return None
    other_order = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONHASHSEED": other_order,
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(words, input=given, env=environment, capture_output=True, check=False)
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise BrokenError(
            f"another process cannot build it ({' '.join(last)}): let it depend on its options and "
            "the data folder alone"
        )
    return done.stdout.decode().split()[-1]

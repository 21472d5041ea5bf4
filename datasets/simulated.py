"""Simulated nights laid out as MASS: sleep staging as a rehearsal, without anybody's data."""

from pathlib import Path

from augbench.datasets.errors import UserError
from augbench.datasets.mass import mass_like_task
from augbench.datasets.options.tasks import SimulatedOptions
from augbench.datasets.task import Task


def simulated(options: SimulatedOptions, data: Path, seed: int) -> Task:
    """Build the task of `mass` from nights that `augbench simulate-nights` has written.

    Nothing about sleep can be learned from it. Raises UserError where there are no such nights, and
    as `mass` does.
    """
    folder = data / options.path
    if not folder.is_dir():
        raise UserError(
            f"there are no simulated nights at {folder}: write some with `augbench simulate-nights "
            f"{folder} --layout mass --nights 10 --hours 3`"
        )
    return mass_like_task("simulated", options, folder)

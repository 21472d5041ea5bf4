"""The command that downloads the data of a task."""

from inspect import signature
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import Data, TaskName
from augbench.datasets.errors import UserError, unknown


def fetch(
    task: TaskName,
    data: Data = Path("data"),
    only: Annotated[
        str, typer.Option(help="Only the files whose names match, such as 'SC400*'.")
    ] = "",
) -> None:
    """Download the data of a task. The same command resumes a download.

    \b
    augbench fetch ssvep --data data
    augbench fetch sleep_edf --only 'SC40*' --data data
    """
    from augbench.datasets import known_tasks
    from augbench.datasets.options.row import resolve

    known = known_tasks()
    if task not in known:
        raise unknown("task", task, known)
    download = known[task].fetch
    if download is None:
        raise UserError(f"task {task!r} needs no download")
    function = resolve(download)
    if not only:
        function(data)
    elif "only" in signature(function).parameters:
        function(data, only=only)
    else:
        raise UserError(f"task {task!r} is downloaded as a whole: leave out --only")

"""Tasks of third-party packages, beside our own."""

from importlib.metadata import entry_points

from datasets import TASKS
from datasets.errors import UserError
from datasets.task import TaskRow

GROUP = "augbench.tasks"


def known_tasks() -> dict[str, TaskRow]:
    """TASKS, and the rows that installed packages add by entry points ``augbench.tasks``.

    Raises UserError for a row that cannot be imported, is no TaskRow, or takes a name in use.
    """
    rows = dict(TASKS)
    for entry in entry_points(group=GROUP):
        origin = f"task {entry.name!r} of the entry point {entry.value!r}"
        if entry.name in rows:
            raise UserError(f"{origin} takes a name that is in use: rename or uninstall it")
        try:
            row = entry.load()
        except Exception as error:  # third-party code may raise anything at import
            raise UserError(
                f"{origin} cannot be imported ({type(error).__name__}: {error}): "
                "mend or uninstall it"
            ) from error
        if not isinstance(row, TaskRow):
            raise UserError(f"{origin} is a {type(row).__name__}; it must be a TaskRow")
        rows[entry.name] = row
    return rows

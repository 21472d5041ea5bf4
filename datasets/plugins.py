"""Rows that installed packages add to our tables by entry points."""

import sys
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TypeVar

from augbench.datasets.errors import UserError

Row = TypeVar("Row")


def with_plugins(
    table: Mapping[str, Row], group: str, is_row: Callable[[object], bool], what_a_row_is: str
) -> dict[str, Row]:
    """A table, followed by the rows of a group of entry points.

    Raises a UserError for a row that cannot be imported, is of another type, or has a used name.
    """
    rows = dict(table)
    for entry in entry_points(group=group):
        origin = f"{entry.value!r} of the entry point {entry.name!r} in {group}"
        if entry.name in rows:
            raise UserError(f"{origin} takes a name that is in use: rename or uninstall it")
        try:
            row = entry.load()
        except Exception as error:  # third-party code may raise anything at import
            raise UserError(
                f"{origin} cannot be imported ({type(error).__name__}: {error}): "
                f"{_hidden(entry.value.partition(':')[0]) or 'mend or uninstall it'}"
            ) from error
        if not is_row(row):
            raise UserError(f"{origin} is a {type(row).__name__}; it must be {what_a_row_is}")
        rows[entry.name] = row
    return rows


def _hidden(module: str) -> str:
    """What to do where a folder of the module's name is taken for it; empty where none is."""
    found = sys.modules.get(module)
    folders = list(getattr(found, "__path__", []))
    if found is None or getattr(found, "__file__", None) is not None or not folders:
        return ""
    return f"the folder {folders[0]} hides the package: rename it, or work from another folder"

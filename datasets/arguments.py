"""Arguments of functions that people call from Python, checked at the door."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from augbench.datasets.errors import UserError


def read_path(name: str, value: Any, others: str = "a text") -> Path:
    """A path from a text or a path; a UserError for all others, which names ``name``.

    ``others`` says what else is allowed.
    """
    if not isinstance(value, str | PathLike):
        raise UserError(f"{name} is {value!r}; it has to be {others} or a pathlib.Path")
    return Path(value)


def read_table(name: str, value: Any) -> dict[str, Any]:
    """A dict from a mapping, empty for None; a UserError for all others."""
    if value is not None and not isinstance(value, Mapping):
        raise UserError(f"{name} is {value!r}; it has to be a dict")
    return dict(value or {})

"""Reads a table of a suite file into a dataclass, and names what is wrong in one sentence."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from datasets.errors import UserError, unknown

Options = TypeVar("Options")


def read_options(cls: type[Options], table: Mapping[str, Any], where: str) -> Options:
    """Build ``cls`` from a table.

    Raises a UserError for an unknown key, a missing one, or a value of the wrong kind or out of
    range, where ``cls`` says so by a ValueError of its own.
    """
    if not isinstance(table, Mapping):
        raise UserError(f"{where} has to be a table, given {table!r}")
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise unknown(f"key in {where}:", key, known)
    try:
        text = json.dumps(table)
    except TypeError:  # TOML has dates and times
        raise UserError(f"{where} holds a date or a time, which no option takes") from None
    try:
        # Strict, but from JSON: a list may become a tuple, "3" may not become 3.
        return TypeAdapter(cls).validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        given = "" if first["type"] == "missing" else f" (given: {first['input']!r})"
        message = first["msg"].removeprefix("Value error, ")
        what = f"{path}: " if path else ""
        raise UserError(f"{where}: {what}{message}{given if path else ''}") from None

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

    Raises a UserError for an unknown key, a missing one, or a value of the wrong kind.
    """
    known = [field.name for field in fields(cls)]  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise unknown(f"key in {where}:", key, known)
    try:
        # Strict, but from JSON: a list may become a tuple, "3" may not become 3.
        return TypeAdapter(cls).validate_json(json.dumps(table), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        given = "" if first["type"] == "missing" else f" (given: {first['input']!r})"
        raise UserError(f"{where}: {path}: {first['msg']}{given}") from None
    except TypeError as error:
        raise UserError(f"{where}: {error}") from None

"""Reads a table of a suite file into a dataclass; an error is one sentence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from augbench.datasets.errors import UserError, unknown

Options = TypeVar("Options")
_LONGEST = 200  # characters of a value in an error
# What a value has to be, by pydantic's name of the error.
_KINDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "dataclass_type": "a table",
}


def read_options(cls: type[Options], table: Mapping[str, Any], where: str) -> Options:
    """Build the dataclass ``cls`` from a table; ``where`` names the table in errors.

    Raises a UserError for an unknown or missing key, a value of the wrong kind, or a value that
    ``cls`` itself refuses by a ValueError.
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
        raise UserError(f"{where} has a date or a time; no option takes one") from None
    except RecursionError:
        raise UserError(f"{where} is nested too deeply") from None
    try:
        # Strict, but from JSON: a list may become a tuple, but "3" does not become 3.
        return TypeAdapter(cls).validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(f"{where}: {_error_sentence(error.errors())}") from None


def _error_sentence(errors: Sequence[ErrorDetails]) -> str:
    """What is wrong with the first wrong key."""
    first = errors[0]
    if not first["loc"]:  # the dataclass itself refused the table
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{first['loc'][-1]} is missing"
    same = [each for each in errors if each["loc"][0] == first["loc"][0]]
    path = ".".join(map(str, first["loc"] if len(same) == 1 else first["loc"][:1]))
    # A value that may be of several kinds has an error for each kind.
    kinds = dict.fromkeys(_KINDS[each["type"]] for each in same if each["type"] in _KINDS)
    if first["type"] == "literal_error":
        kinds = {first["ctx"]["expected"]: None}
    told = first["msg"].removeprefix("Value error, ")
    message = f"it has to be {' or '.join(kinds)}" if kinds else told
    return f"{path} is {_brief(first['input'])}; {message}"


def _brief(value: object) -> str:
    """A value as it was given; the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."

"""Reads a table of a suite file into a dataclass, and names what is wrong in one sentence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from augbench.datasets.errors import UserError, unknown

Options = TypeVar("Options")
# What is wanted, by the kind of error with which pydantic refuses what is given.
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
        raise UserError(f"{where}: {_error_sentence(error.errors())}") from None


def _error_sentence(errors: Sequence[ErrorDetails]) -> str:
    """What is wrong with the first key of those that something is wrong with."""
    first = errors[0]
    if not first["loc"]:  # of the table as a whole, in its own words
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{first['loc'][-1]} is missing"
    same = [each for each in errors if each["loc"][0] == first["loc"][0]]
    path = ".".join(map(str, first["loc"] if len(same) == 1 else first["loc"][:1]))
    # Of a value that may be of several kinds there is an error for each.
    kinds = dict.fromkeys(_KINDS[each["type"]] for each in same if each["type"] in _KINDS)
    if first["type"] == "literal_error":
        kinds = {first["ctx"]["expected"]: None}
    told = first["msg"].removeprefix("Value error, ")
    message = f"it has to be {' or '.join(kinds)}" if kinds else told
    return f"{path} is {first['input']!r}; {message}"

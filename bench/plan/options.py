"""Reads a table of a suite file into a dataclass; an error is one sentence."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, time
from functools import partial
from numbers import Integral, Real
from os import PathLike, fspath
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
    text = _text(table, where)
    try:
        # Strict, but from JSON: a list may become a tuple, but "3" does not become 3.
        return TypeAdapter(cls).validate_json(text, strict=True)
    except ValidationError as error:
        raise UserError(f"{where}: {_error_sentence(error.errors())}") from None


def plain_table(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The same table with values as JSON has them, so that it can be kept in a file.

    Raises a UserError for values that no option takes; ``where`` names the table.
    """
    plain: dict[str, Any] = json.loads(_text(table, where))
    return plain


def _text(table: Mapping[str, Any], where: str) -> str:
    try:
        return json.dumps(table, default=partial(_plain, where))
    except TypeError:  # a key that is no text
        raise UserError(f"{where} has keys that are no texts; give every key as a text") from None
    except RecursionError:
        raise UserError(f"{where} is nested too deeply") from None


def _plain(where: str, value: object) -> Any:
    """A value of Python as JSON has it; a UserError for one that no option takes."""
    if isinstance(value, Integral | Real):  # numpy's
        return int(value) if isinstance(value, Integral) else float(value)
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, date | time):  # TOML has them
        raise UserError(f"{where} has a date or a time; no option takes one")
    raise UserError(
        f"{where} holds {value!r}; options are numbers, texts, booleans, lists and tables"
    )


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

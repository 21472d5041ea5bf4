"""Writes tables as TOML; the standard library only reads it."""

import json
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any


def toml_text(table: Mapping[str, Any], path: Sequence[str] = ()) -> str:
    """A table and the tables in it, under its dotted ``path``; no value may be None."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    has_header = path and (plain or not inner)
    text = f"[{'.'.join(map(_key, path))}]\n" if has_header else ""
    text += "".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())
    return text + "".join(toml_text(value, (*path, key)) for key, value in inner.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _value(value: object) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
        )
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and not isfinite(value):
        return str(value)  # inf and nan, as TOML has them
    return json.dumps(value)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

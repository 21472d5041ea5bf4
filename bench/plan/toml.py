"""Tables as TOML, which the standard library reads but does not write."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any


def toml(table: Mapping[str, Any], path: Sequence[str] = ()) -> str:
    """A table of plain values and, below it, the tables in it; ``path`` is its name in the file."""
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    header = f"[{'.'.join(map(_key, path))}]\n" if path and (plain or not inner) else ""
    text = header + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())
    return text + "".join(toml(value, (*path, key)) for key, value in inner.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):  # in a list
        return f"{{ {', '.join(f'{_key(key)} = {_value(each)}' for key, each in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    # Texts, numbers and truth values are as in JSON, but for what JSON names otherwise or leaves.
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return {"Infinity": "inf", "-Infinity": "-inf", "NaN": "nan"}.get(text, text)

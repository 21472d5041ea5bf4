"""Values of a suite that a command changes: ``dotted.key=value``."""

import tomllib
from typing import Any

from augbench.datasets.errors import UserError


def set_value(tables: dict[str, Any], override: str) -> None:
    """Change a value of tables by ``dotted.key=value``; raises a UserError for another text."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise UserError(f"--set {override!r}: write key=value, as in --set 'seeds=[0,1]'")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text  # a bare word is a string
    *path, last = _key_parts(key)
    table = tables
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise UserError(f"--set {override!r}: {part!r} is a value, not a table")
    table[last] = value


def _key_parts(key: str) -> list[str]:
    """The parts of a dotted key; one in quotes may hold dots, as in TOML."""
    if '"' not in key:
        return key.split(".")
    try:
        table = tomllib.loads(f"{key} = 0")
    except ValueError:
        raise UserError(f'--set {key!r}: its quotes do not match; write a."b.c".d=value') from None
    parts = []
    while isinstance(table, dict):
        (part,) = table
        parts.append(part)
        table = table[part]
    return parts

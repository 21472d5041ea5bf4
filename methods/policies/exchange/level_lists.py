"""Finds the lists of (operation, probability, level) in a JSON or Python file."""

import ast
import json
from typing import Any

from augbench.methods.policies.exchange.calls import named_values, parse
from augbench.methods.policies.exchange.level_form import Entry
from augbench.methods.policies.exchange.physical import (
    check_count,
)


def lists_in(text: str) -> dict[str, list[list[Entry]]]:
    """The lists of a file that look like policies, by the names of variables or functions."""
    try:
        candidates = {"policy": json.loads(text)}
    except (ValueError, RecursionError):
        candidates = named_values(parse(text), _literal)
    found: dict[str, list[list[Entry]]] = {}
    same: dict[int, list[list[Entry]]] = {}
    for name, value in candidates.items():
        entries = same.setdefault(id(value), _entries(value) or [])
        if entries:
            found[name] = entries
    return found


def _literal(node: ast.AST) -> Any:
    """The list that a node gives a name to; None for others, and for what is computed."""
    value = getattr(node, "value", None)
    if not isinstance(value, ast.List | ast.Tuple):
        return None
    try:
        return ast.literal_eval(value)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _entries(value: Any) -> list[list[Entry]] | None:
    """Subpolicies of triples; None if a value is something else."""
    if not isinstance(value, list | tuple) or not value or not isinstance(value[0], list | tuple):
        return None
    check_count(len(value))
    entries = []
    for subpolicy in value:
        if not isinstance(subpolicy, list | tuple):
            return None
        for each in subpolicy:
            if not isinstance(each, list | tuple) or len(each) != 3 or not isinstance(each[0], str):
                return None
        entries.append([(each[0], each[1], each[2]) for each in subpolicy])
    return entries if any(entries) else None

"""Python files that hold one policy in constructor notation."""

import ast
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.call_form import Dialect
from augbench.methods.policies.exchange.calls import (
    as_data,
    calls_in,
    choose,
    from_elsewhere,
    parse,
    to_python,
)
from augbench.methods.policies.exchange.form import Content
from augbench.methods.policies.exchange.level_form import LevelForm
from augbench.methods.policies.exchange.level_lists import lists_in
from augbench.methods.policies.exchange.physical import Chain
from augbench.methods.policies.exchange.read_calls import read_calls
from augbench.methods.policies.exchange.read_levels import A_LIST, read_entries
from augbench.methods.policies.exchange.read_own import is_own
from augbench.methods.policies.exchange.write_calls import write_calls


def write_python(
    dialect: Dialect, head: str, before: str, use: str, chains: list[Chain], lost: list[str]
) -> str:
    """The text of a file: what it is, imports, and the policy behind ``before``."""
    call = write_calls(dialect, chains, lost)
    indent = " " * (len(before) - len(before.lstrip(" ")))  # inside a function
    lines = [f"A policy of {len(chains)} subpolicies for {dialect.title}, written by augbench.", ""]
    lines += [use, "", "Not as in augbench:"]
    lines += [f"- {each}" for each in dict.fromkeys(lost)] or ["- nothing"]
    text = "\n".join(lines)
    return f'"""{text}\n"""\n{head}\n{before}{to_python(call, indent)}\n'


def read_python(
    dialect: Dialect,
    containers: Sequence[str],
    list_form: LevelForm,
    text: str,
    name: str | None,
    lost: list[str],
) -> Content:
    """The policy of a file, which is not executed: calls, or a list of that software's.

    Raises a UserError if there is none or several, or for what cannot be read.
    """
    found: dict[str, Any] = dict(lists_in(text))
    if not text.lstrip().startswith("["):
        tree = parse(text)
        is_operation = partial(_is_operation, dialect, from_elsewhere(tree, dialect.title))
        found |= calls_in(tree, containers, is_operation)
    if not found:
        raise UserError(f"it holds no policy: a call of {' or '.join(containers)}, or {A_LIST}")
    chosen = choose(found, name)
    if isinstance(chosen, ast.Call):
        return Content(read_calls(dialect, as_data(chosen), lost))
    return read_entries(list_form, chosen, lost)


def _is_operation(dialect: Dialect, elsewhere: Collection[str], called: str) -> bool:
    """Whether ``K.RandomInvert`` is one; the library is asked about what only it may have."""
    name = called.rpartition(".")[2]
    if any(row.theirs.rpartition(".")[2] == name for row in dialect.rows):
        return True
    return called.partition(".")[0] not in elsewhere and is_own(dialect.title, name)

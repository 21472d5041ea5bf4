"""Reads notes on options, docstrings and sources from source files, without importing them."""

import ast
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

_NAMED = (ast.ClassDef, ast.FunctionDef)


class _Comment(NamedTuple):
    """A comment and its place in its line."""

    text: str
    column: int
    alone: bool  # nothing stands before it in its line


def option_notes(cls: type) -> dict[str, str]:
    """The comments on each field of a dataclass, above it and behind it; "" where there are none.

    A field that a class inherits has the parent's note, unless the class has a note of its own.
    """
    notes: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        notes |= {name: note for name, note in _own_notes(each).items() if note}
    return {field.name: notes.get(field.name, "") for field in fields(cls)}


def _own_notes(cls: type) -> dict[str, str]:
    """The notes on the fields that the class itself defines."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # the class was made at run time, or its source is missing
        return {}
    comments = _comments(source)
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    return {
        node.target.id: " ".join([*_above(comments, node), *_behind(comments, node)])
        for node in definition.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _comments(source: str) -> dict[int, _Comment]:
    """All comments, by line number."""
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            alone = not token.line[:column].strip()
            comments[line] = _Comment(token.string.lstrip("#: "), column, alone)
    return comments


def _above(comments: dict[int, _Comment], node: ast.AnnAssign) -> list[str]:
    """The comment lines right above a field, in the same column."""
    first = node.lineno
    while (above := comments.get(first - 1)) and above.alone and above.column == node.col_offset:
        first -= 1
    return [comments[line].text for line in range(first, node.lineno)]


def _behind(comments: dict[int, _Comment], node: ast.AnnAssign) -> list[str]:
    """The comments inside and behind a field, and the lines below that continue them."""
    last = node.end_lineno or node.lineno
    if behind := comments.get(last):
        while (under := comments.get(last + 1)) and under.alone and under.column == behind.column:
            last += 1
    return [comments[line].text for line in range(node.lineno, last + 1) if line in comments]


def docstrings(build: Callable[..., Any] | str) -> list[str]:
    """The docstrings of a builder's module, of the class there that it returns, and its own.

    The module is read, not imported: that would take seconds. Empty if the source is missing.
    """
    module, function = _origin(build)
    tree = _parsed(module)
    if tree is None:
        return []
    inside = {node.name: node for node in tree.body if isinstance(node, _NAMED)}
    builder = inside.get(function)
    texts = [ast.get_docstring(tree)]
    if isinstance(builder, ast.FunctionDef) and isinstance(builder.returns, ast.Name):
        # A class of another module is shared by several methods and describes none of them.
        built = inside.get(builder.returns.id)
        texts += [ast.get_docstring(built)] if built else []
    texts += [ast.get_docstring(builder)] if builder else []
    return [text for text in texts if text]


def _origin(build: Callable[..., Any] | str) -> tuple[str, str]:
    """The names of the module and of the function."""
    if isinstance(build, str):
        module, _, function = build.partition(":")
        return module, function
    while isinstance(build, partial):
        build = build.func
    return getattr(build, "__module__", ""), getattr(build, "__name__", "")


def _parsed(module: str) -> ast.Module | None:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):  # its parent or its name is missing
        return None
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def sources(texts: list[str]) -> str:
    """The text behind each ``Source:`` in some docstrings, to the end of its paragraph."""
    paragraphs = [part.partition("\n\n")[0] for text in texts for part in text.split("Source:")[1:]]
    return " ".join(" ".join(each.split()) for each in paragraphs)

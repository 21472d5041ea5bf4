"""The methods and their options, as a terminal shows them."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from inspect import cleandoc, formatannotation
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from augbench.bench.cli.option_notes import docstrings, option_notes, sources
from augbench.methods.options.row import MethodRow

_SHORT = 40  # characters of a type that can still be read in a column


def method_table(known: Mapping[str, MethodRow]) -> Table:
    """A row for each method: what it does, what it ends in, and where it comes from."""
    table = _table("method", "ends in", "what it does")
    for name, row in known.items():
        texts = docstrings(row)
        summary = texts[0].partition("\n")[0] if texts else ""
        about = Text(f"{summary}\n").append(f"Source: {sources(texts) or 'not named'}", "dim")
        table.add_row(Text(name), f"a {row.ends_in}", about)
    return table


def method_page(row: MethodRow) -> Group:
    """What a method's docstrings say of it, then a row for each of its options."""
    texts = [*docstrings(row), cleandoc(row.options.__doc__ or "")]
    notes = option_notes(row.options)
    table = _table("option", "default", "note")
    for field in fields(row.options):
        name = Text(field.name).append(f"\n{_type(field)}", "dim")
        # As they are: a str would be searched for markup, which has brackets.
        table.add_row(name, Text(_default(field)), Text(notes[field.name]))
    description = Text("\n\n".join(map(_unwrapped, texts)) + "\n" * bool(notes))
    return Group(description, *([table] if notes else []))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns[:-1]:
        table.add_column(column, overflow="fold", max_width=22)
    table.add_column(columns[-1], overflow="fold")
    return table


def _unwrapped(docstring: str) -> str:
    """A line for each paragraph and each source: terminals are narrower than ours."""
    paragraphs = [" ".join(part.split()) for part in docstring.split("\n\n")]
    return "\n\n".join(paragraphs).replace(" Source: ", "\nSource: ")


def _default(field: "Field[Any]") -> str:
    """As a suite would say it, but for None, which it cannot."""
    value = field.default
    if field.default_factory is not MISSING:
        value = field.default_factory()
    if value is MISSING or value is None:
        return "must be given" if value is MISSING else "None"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, default=str)


def _type(field: "Field[Any]") -> str:
    """Nothing where it is too long to be read."""
    name = formatannotation(field.type).replace("typing.", "").strip("'")
    return name if len(name) <= _SHORT else ""

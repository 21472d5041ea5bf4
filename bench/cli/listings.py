"""Tables of what a suite can name, with options and defaults."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from inspect import cleandoc, formatannotation
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from augbench.bench.cli.option_notes import docstrings, option_notes, sources
from augbench.bench.plan.tables import MethodTable, TaskTable
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.trunks import TrunkRow
from augbench.methods.options.row import MethodRow

_SHORT = 40  # characters of a type that can still be read in a column
_KINDS = {"eeg": "EEG", "image": "images"}


def method_table(known: Mapping[str, MethodRow]) -> Table:
    """A row for each method: its kinds of signal, what it ends in, what it does, its source."""
    table = _table("method", "for", "ends in", "what it does")
    for name, row in known.items():
        texts = docstrings(row.build)
        about = Text(_first_line(texts)).append(f"\nSource: {sources(texts) or 'not named'}", "dim")
        table.add_row(Text(name), _signals(row.kinds), f"a {row.ends_in}", about)
    return table


def method_page(row: MethodRow) -> Group:
    """A method's docstrings, its options, and the keys that every method takes."""
    return _page(
        docstrings(row.build),
        _options(row.options),
        _heading("Every method also takes:", _options(MethodTable)),
    )


def task_table(known: Mapping[str, TaskRow]) -> Table:
    """A row for each task: its kinds of signal, whether its data are downloaded, what it is."""
    table = _table("task", "for", "data", "what is learned")
    for name, row in known.items():
        data = "augbench fetch" if row.fetch else ""
        about = Text(_first_line(docstrings(row.build)))
        table.add_row(Text(name), _signals(row.kinds), data, about)
    return table


def task_page(row: TaskRow) -> Group:
    """A task's docstrings, its options, and the keys that every task takes."""
    return _page(
        docstrings(row.build),
        _options(row.options),
        _heading("Every task also takes:", _options(TaskTable)),
        _heading(
            "Under training (a task has values of its own for some of them):",
            _options(TrainingSettings),
        ),
    )


def trunk_table(known: Mapping[str, TrunkRow]) -> Table:
    """A row for each trunk: its kinds of signal, its sizes, what it is."""
    table = _table("trunk", "for", "sizes", "what it is")
    for name, row in known.items():
        sizes = ", ".join(f"{key} {_plain(value)}" for key, value in row.sizes.items())
        about = Text(_first_line(docstrings(row.build)[-1:]))
        table.add_row(Text(name), _signals(row.kinds), sizes, about)
    return table


def transform_table(known: Iterable[Any]) -> Table:
    """A row for each `Transform`: what magnitude 1 means, the kind of its gradient, its source."""
    table = _table("transform", "for", "at magnitude 1", "gradient", "source")
    for kind, transform in known:
        strongest = f"{transform.strongest:.4g} {transform.unit}" if transform.graded else "always"
        source = Text(transform.source, "dim")
        table.add_row(Text(transform.name), _signals([kind]), strongest, transform.gradient, source)
    return table


def imported_table(known: Iterable[Any]) -> Table:
    """A row for each `Transform` of another library: what drives it, its gradient, its options."""
    table = _table("transform", "magnitude 0 to 1", "gradient", "options")
    table.columns[0].max_width = None
    table.columns[0].no_wrap = True
    for _, transform in known:
        described = transform.imported
        driven = "probability 0 to 1"
        if described.range is not None:
            driven = f"{described.parameter} {' to '.join(map(_plain_bound, described.range))}"
        options = ", ".join(f"{key} {value}" for key, value in described.options.items())
        table.add_row(Text(transform.name), Text(driven), transform.gradient, Text(options))
    return table


def suite_table(files: Mapping[str, Path]) -> Table:
    """A row for each suite: its tasks, its methods, and the comment that its file begins with."""
    table = _table("suite", "tasks", "methods", "what it shows")
    for name, file in files.items():
        text = file.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
        comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        first = " ".join(comment).partition(". ")[0].rstrip(".")
        tasks, methods = (", ".join(tables[key]) for key in ("tasks", "methods"))
        table.add_row(Text(name), Text(tasks), Text(methods), Text(first))
    return table


def _page(texts: list[str], *tables: RenderableType) -> Group:
    return Group(Text("\n\n".join(map(_unwrapped, texts)) + "\n"), *tables)


def _options(cls: type) -> RenderableType:
    """A row for each field of a dataclass: its type, its default and its note."""
    notes = option_notes(cls)
    if not notes:
        return Text("It has no options.\n")
    table = _table("option", "default", "note")
    for field in fields(cls):
        name = Text(field.name).append(f"\n{_type(field)}", "dim")
        # Text, not str: in a str, brackets are taken for markup.
        table.add_row(name, Text(_default(field)), Text(notes[field.name]))
    about = Text(_unwrapped(cleandoc(cls.__doc__ or "")) + "\n")
    return Group(about, table)


def _heading(words: str, table: RenderableType) -> Group:
    return Group(Text(f"\n{words}", "bold"), table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns[:-1]:
        table.add_column(column, overflow="fold", max_width=22)
    table.add_column(columns[-1], overflow="fold")
    return table


def _first_line(texts: list[str]) -> str:
    return texts[0].partition("\n")[0] if texts else ""


def _signals(kinds: Iterable[str]) -> str:
    return ", ".join(_KINDS[kind] for kind in kinds)


def _unwrapped(docstring: str) -> str:
    """A line for each paragraph and each source: terminals are narrower than our files."""
    paragraphs = [" ".join(part.split()) for part in docstring.split("\n\n")]
    return "\n\n".join(paragraphs).replace(" Source: ", "\nSource: ")


def _default(field: "Field[Any]") -> str:
    """The default as a suite would say it; ``None`` is the one that a suite cannot say."""
    value = field.default
    if field.default_factory is not MISSING:
        value = field.default_factory()
    if value is MISSING or value is None:
        return "must be given" if value is MISSING else "None"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, default=str)


def _plain(value: object) -> str:
    return " + ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _plain_bound(bound: Any) -> str:
    return f"{bound:g}" if isinstance(bound, float) else f"({', '.join(f'{x:g}' for x in bound)})"


def _type(field: "Field[Any]") -> str:
    """The type of an option; nothing where it is too long for the column."""
    name = formatannotation(field.type).replace("typing.", "").strip("'")
    return name if len(name) <= _SHORT else ""

"""What the page is built of. Every text is escaped here: only ``Markup`` goes in as it is."""

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from augbench.bench.printable import printable

Text = str | Markup


class Section(NamedTuple):
    """A part of the page, with an entry in its list of contents."""

    anchor: str  # of links to it: #anchor
    title: str
    body: Markup


class Cell(NamedTuple):
    """A cell of a table."""

    text: Text
    order: float | None = None  # what its column is sorted by, if not by the text


def safe(text: Text) -> Markup:
    """The text as HTML that shows it, on one line; ``Markup`` as it is."""
    return text if isinstance(text, Markup) else escape(printable(text))


def join(parts: Iterable[Markup]) -> Markup:
    """Pieces of HTML, one after the other."""
    return Markup("\n").join(parts)


def heading(text: Text) -> Markup:
    """A heading within a section."""
    return Markup("<h3>{}</h3>").format(safe(text))


def paragraph(text: Text, kind: str = "") -> Markup:
    """A paragraph; ``kind`` is a class of page.css."""
    return Markup('<p class="{}">{}</p>').format(kind, safe(text))


def bullets(texts: Iterable[Text]) -> Markup:
    """A list; nothing if there are no texts."""
    items = [Markup("<li>{}</li>").format(safe(text)) for text in texts]
    return Markup("<ul>{}</ul>").format(join(items)) if items else Markup("")


def code(text: str, label: str) -> Markup:
    """A block of text as it is, with its line breaks; ``label`` says what it is."""
    lines = Markup("\n").join(safe(line) for line in text.splitlines())
    return Markup('<pre tabindex="0" role="region" aria-label="{}"><code>{}</code></pre>').format(
        safe(label), lines
    )


def details(summary: str, body: Markup, *, is_open: bool = False) -> Markup:
    """A part that opens on demand."""
    start = Markup("<details open>" if is_open else "<details>")
    return start + Markup("<summary>{}</summary>{}</details>").format(safe(summary), body)


def table(
    caption: str,
    header: Sequence[Text],
    rows: Iterable[Sequence[Cell]],
    *,
    words: int = 1,
    sortable: bool = False,
) -> Markup:
    """A table that scrolls by itself where it is too wide.

    The first ``words`` columns are words, to the left; the others are numbers. A ``sortable`` one
    sorts by its headers, and filters (page.js).
    """

    def kind(column: int) -> str:
        return "word" if column < words else "number"

    names = [Markup("<button type=button>{}</button>").format(safe(n)) for n in header]
    heads = names if sortable else [safe(name) for name in header]
    head = [
        Markup('<th scope="col" class="{}">{}</th>').format(kind(column), name)
        for column, name in enumerate(heads)
    ]
    body = [
        Markup("<tr>{}</tr>").format(
            Markup("").join(_cell(cell, kind(column)) for column, cell in enumerate(row))
        )
        for row in rows
    ]
    return Markup(
        '<div class="scroll{}" tabindex="0" role="region" aria-label="{}"><table>'
        "<caption><span>{}</span></caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table></div>"
    ).format(
        " sortable" if sortable else "",
        safe(caption),
        safe(caption),
        Markup("").join(head),
        join(body),
    )


def _cell(cell: Cell, kind: str) -> Markup:
    order = "" if cell.order is None else Markup(' data-order="{}"').format(f"{cell.order:.9g}")
    return Markup('<td class="{}"{}>{}</td>').format(kind, order, safe(cell.text))


def data(name: str, value: Any) -> Markup:
    """A value for the scripts of the page, packed; they never run it. NaN is not allowed."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup('<script type="text/plain" id="{}">{}</script>').format(name, pack(text.encode()))


def pack(content: bytes) -> str:
    """The bytes compressed, as letters; ``unpack`` of page.js has them back.

    Without the time that gzip would add, the same content gives the same letters.
    """
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()

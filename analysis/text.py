"""Names that the user chose, in file names, Markdown and CSV: distinct, and read as text."""

import hashlib
import re

import pandas as pd

from augbench.bench.printable import printable

_STEM_LENGTH = 60
# Names that stay as they are: no two of them are one file where case does not count, none is an
# option of a command or a hidden file, none is a device of Windows, and none ends as a stem with a
# digest does.
_PLAIN_STEM = re.compile(rf"[a-z0-9][a-z0-9_.-]{{0,{_STEM_LENGTH - 1}}}")
_DIGEST = re.compile(r"-[0-9a-f]{10}$")
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def file_stem(name: str) -> str:
    """The beginning of the file names of a task: a function of its name alone, for any text.

    Two names have two stems, on file systems that ignore case too. A name that is no safe file name
    gets its safe letters and a digest of the whole.
    """
    if _PLAIN_STEM.fullmatch(name) and not _DIGEST.search(name) and not _DEVICE.match(name):
        return name
    letters = re.sub(r"[^A-Za-z0-9-]+", "_", name).strip("_-")[:_STEM_LENGTH]
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:10]
    return f"{letters or 'task'}-{digest}"


_MARKDOWN = re.compile(
    r"[\\`*\[\]<>|~$]"  # everywhere
    r"|&(?=#?\w+;)"  # an entity
    r"|(?<![^\W_])_|_(?![^\W_])"  # an underscore within a word is one; at its edge it is emphasis
    r"|^(?:[#+-](?=\s|$)|#{2,6}(?=\s|$)|={2,}$|-{2,}$)"  # a heading, a list, a rule
)
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")


def markdown(text: str) -> str:
    """The text for a Markdown page, on one line, where it reads as it is."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found[0]}", printable(text))
    return _NUMBERED.sub(r"\1\\\2", escaped)


def shorten(text: str, length: int) -> str:
    """The text for a figure, on one line; what is longer ends in an ellipsis."""
    text = printable(text)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV in UTF-8; the same table gives the same bytes.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    safe = table.copy()
    for name in table:
        if not pd.api.types.is_numeric_dtype(table[name]):
            safe[name] = table[name].map(_no_formula)
    safe.columns = pd.Index([_no_formula(name) for name in table.columns])
    return safe.to_csv(index=False, lineterminator="\n").encode()


def _no_formula(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r\n" and value else value

"""Prints the user's own words exactly as they are.

Rich reads square brackets as markup and `:names:` as emoji. Labels, paths and error texts of a user
hold both, so nothing that is printed here is handed to rich as a plain string.
"""

from rich.console import Console
from rich.text import Text

from augbench.bench.printable import printable


def as_text(value: object) -> Text:
    """A value of the user's as it is, for a table: no markup, no emoji, no control characters."""
    return Text(printable(str(value)))


def print_line(console: Console, line: object) -> None:
    """Print a line as it is; a terminal that is too narrow wraps it, a file gets it whole."""
    text = "\n".join(map(printable, str(line).split("\n")))
    console.print(Text(text), soft_wrap=True)

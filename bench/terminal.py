"""What we write to a terminal: the user's own words exactly as they are, to a reader who may leave.

Rich reads square brackets as markup and `:names:` as emoji. Labels, paths and error texts of a user
hold both, so nothing that is printed here is handed to rich as a plain string.
"""

import errno
import io
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_READER_GONE = (errno.EPIPE, errno.EIO)  # a pipe whose reader has ended; a terminal that is closed


def printable(text: str) -> str:
    """The text on one line: control characters are shown as escapes, as in ``\\n``."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def as_text(value: object) -> Text:
    """A value of the user's as it is, for a table: no markup, no emoji, no control characters."""
    return Text(printable(str(value)))


def print_line(console: Console, line: object) -> None:
    """Print a line as it is; a terminal that is too narrow wraps it, a file gets it whole."""
    text = "\n".join(map(printable, str(line).split("\n")))
    console.print(Text(text), soft_wrap=True)


def keep_writing(*, notice: str = "") -> None:
    """Let this process outlive the readers of its output, as in ``augbench run | head``.

    Without it the next line that is printed would end a run of days. What is written after the
    reader has gone is dropped. ``notice`` is then printed once to stderr, if that is still read.
    """
    sys.stdout = _outliving(sys.stdout, lambda: print(notice, file=sys.stderr) if notice else None)
    sys.stderr = _outliving(sys.stderr, lambda: None)


class _Stream(io.FileIO):
    """A file descriptor that leads nowhere from the moment that its reader has gone."""

    def __init__(self, descriptor: int, on_lost: Callable[[], None]) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._on_lost = on_lost

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            if error.errno not in _READER_GONE:  # a full disk is an error, but only once
                raise
        self._on_lost()
        return memoryview(data).nbytes


def _outliving(stream: Any, on_lost: Callable[[], None]) -> Any:
    """The same standard stream over a `_Stream`; letters that its encoding lacks are escaped."""
    if stream is None:  # it was closed before we began
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Stream(stream.fileno(), on_lost)),
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
    )

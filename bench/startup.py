"""How a process starts."""

import errno
import gc
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_READER_GONE = (errno.EPIPE, errno.EIO)  # a pipe whose reader has ended; a terminal that is closed


@contextmanager
def importing() -> Iterator[None]:
    """Turn the garbage collector off while libraries are imported: it saves an eighth of the time.

    It never looks at the imported objects again, so forked processes keep sharing their memory.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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

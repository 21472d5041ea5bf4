"""Whether what runs now is being recorded as a CUDA graph."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_recording = ContextVar("recording", default=False)


@contextmanager
def recording() -> Iterator[None]:
    """Inside the block, warm-ups included, many small kernels are better than few slow ones.

    In a graph they cost what they compute; launched by Python, some microseconds each.
    """
    token = _recording.set(True)
    try:
        yield
    finally:
        _recording.reset(token)


def is_recording() -> bool:
    """Whether this is the block."""
    return _recording.get()

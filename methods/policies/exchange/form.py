"""The contract of a form in which other software has its policies."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from augbench.methods.policies.exchange.physical import Chain

# An operation of other software at a strength in our unit: what it makes of a batch, and whether
# the strength that acts is that one, with nothing else drawn. None where it has no such operation.
Operated = tuple[Callable[[Tensor], Tensor], bool]
Operate = Callable[[str, float | None], Operated | None]


class Content(NamedTuple):
    """What a file in another form says."""

    chains: list[Chain]
    # The policy as it stands there, for the way back; None where `write` gives the same again.
    entries: list[list[tuple[str, float, float | None]]] | None = None


class Form(NamedTuple):
    """How policies are written for other software, read from it, and compared with it.

    ``write`` and ``read`` add what is lost to the list that they are given, a sentence each, and
    raise a UserError for what cannot be expressed, or is not in this form. ``operate`` gives the
    operations of that software; it raises an ImportError where that is not installed, and is None
    where it is never run.
    """

    write: Callable[[list[Chain], list[str]], str] | None = None
    read: Callable[[str, str | None, list[str]], Content] | None = None
    # Writes what `Content.entries` holds.
    write_entries: Callable[[list[list[tuple[str, float, float | None]]]], str] | None = None
    operate: Callable[[], Operate] | None = None

"""A row of the table of methods."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from augbench.datasets.options.tasks import Kind

# Metadata of an option that came when runs had been stored: at its default it is left out of the
# options of a trial, so that the names of those runs stay what they were.
LATER: Mapping[str, bool] = {"later": True}


class MethodRow(NamedTuple):
    """A method: its options, its builder, and what it ends in.

    ``options`` is a frozen dataclass whose fields all have defaults. ``build(setup, options) ->
    Method`` is a function or its name, ``module:function``, so that a suite can be checked without
    torch. The contracts of ``setup`` and of the method: methods/training/method.py.
    """

    options: type
    build: Callable[..., Any] | str
    ends_in: Literal["model", "policy"]
    kinds: tuple[Kind, ...] = ("eeg", "image")  # of signals that it is for

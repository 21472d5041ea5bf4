"""A row of the table of tasks, and how rows name what is imported only when it is needed."""

from collections.abc import Callable
from pkgutil import resolve_name
from typing import Any, NamedTuple

from augbench.datasets.options.tasks import Kind


class Margin(NamedTuple):
    """How far a transform may go before it takes an example into another class."""

    transforms: tuple[str, ...]  # all names that it has in layers
    largest: float  # to either side
    unit: str


class TaskRow(NamedTuple):
    """A task: its options, and the functions that build it and download its data.

    ``options`` is a frozen dataclass of which every field has a default. ``build(options, data,
    seed) -> Task`` and ``fetch(data)`` are functions or their names, ``module:function``, so that
    a suite can be checked without torch. ``data`` is the folder of all data sets, ``seed`` the
    suite's, from which the task draws its own random numbers. Bad options and bad data raise a
    UserError. ``margin(options)`` is for tasks of which one is known.
    """

    options: type
    build: Callable[..., Any] | str
    fetch: Callable[..., None] | str | None = None
    kinds: tuple[Kind, ...] = ("eeg", "image")  # of signals that it can have
    margin: Callable[[Any], Margin] | None = None


def resolve(function: Callable[..., Any] | str) -> Callable[..., Any]:
    """The function itself; one that is given as ``module:function`` is imported."""
    if not isinstance(function, str):
        return function
    resolved: Callable[..., Any] = resolve_name(function)
    return resolved

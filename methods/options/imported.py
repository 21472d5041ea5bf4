"""How a suite or a policy describes an augmentation of another library. It needs no torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind

Bound = float | tuple[float, ...]


class Library(NamedTuple):
    """A library whose augmentations are transforms here."""

    kind: Kind  # of signals
    module: str
    what: str  # it augments
    own: tuple[str, ...]  # the arguments that augbench sets itself


# By the first part of a name, as in "kornia.RandomRotation".
LIBRARIES = {
    "kornia": Library(
        "image", "kornia.augmentation", "images", ("p", "p_batch", "same_on_batch", "keepdim")
    ),
    "braindecode": Library(
        "eeg", "braindecode.augmentation", "EEG", ("probability", "random_state")
    ),
}


@dataclass(frozen=True)
class ImportedOptions:
    """What the magnitude of an imported transform means."""

    # The argument of the library's class that the magnitude drives. Without one, the transform has
    # no strength: its magnitude is the probability that it is applied.
    parameter: str | None = None
    # The values of that argument at magnitude 0, which should do nothing, and at magnitude 1.
    # Numbers, or lists of them: [[1.0, 1.0], [0.5, 1.5]].
    range: tuple[Bound, ...] | None = None
    options: dict[str, Any] = field(default_factory=dict)  # the other arguments of the class

    def __post_init__(self) -> None:
        """Raise a ValueError for a range that is not an interval, or a parameter without one."""
        if (self.parameter is None) != (self.range is None):
            given, missing = (
                ("parameter", "range") if self.range is None else ("range", "parameter")
            )
            raise ValueError(
                f"{given} is given without {missing}: give both, or neither for a transform that "
                "is applied with a probability"
            )
        if self.parameter in self.options:
            raise ValueError(
                f"{self.parameter} is the parameter and stands in options too: keep one of them"
            )
        try:
            json.dumps(self.options)
        except TypeError:
            raise ValueError(
                f"options is {self.options}; it may hold numbers, texts, lists and tables"
            ) from None
        if self.range is not None and not _is_interval(self.range):
            raise ValueError(
                f"range is {list(self.range)}; it has to be two different numbers, at magnitude 0 "
                "and at magnitude 1, as in [0.0, 30.0], or two lists of as many numbers"
            )

    def to_plain(self) -> dict[str, Any]:
        """The same as JSON has it; it says no more than it has to."""
        bounds = None if self.range is None else [_plain(bound) for bound in self.range]
        options: dict[str, Any] = json.loads(json.dumps(self.options))
        driven = {} if bounds is None else {"parameter": self.parameter, "range": bounds}
        return driven | ({"options": options} if options else {})


def _is_interval(bounds: tuple[Bound, ...]) -> bool:
    if len(bounds) != 2 or bounds[0] == bounds[1]:
        return False
    low, high = (bound if isinstance(bound, tuple) else (bound,) for bound in bounds)
    same_form = isinstance(bounds[0], tuple) == isinstance(bounds[1], tuple)
    return same_form and 0 < len(low) == len(high) and all(map(isfinite, low + high))


def _plain(bound: Bound) -> Any:
    return list(bound) if isinstance(bound, tuple) else bound


def library_of(name: str) -> Library | None:
    """The library that a transform's name begins with; None for one of our own."""
    return LIBRARIES.get(name.partition(".")[0]) if "." in name else None


def check_kind(name: str, kind: Kind, fitting: str = "") -> None:
    """Raise a UserError for a transform of images for EEG, or the reverse."""
    library = library_of(name)
    if library is not None and library.kind != kind:
        other = ", ".join(f"{key}.NAME" for key, each in LIBRARIES.items() if each.kind == kind)
        raise UserError(
            f"transform {name!r} is for {library.what}, but the task has kind {kind!r}; "
            f"it can use augbench's own{fitting} and {other}"
        )


def read_imported(name: str, record: Any) -> ImportedOptions:
    """The options that `to_plain` wrote, from a file; raises a UserError for anything else."""
    allowed = ("parameter", "range", "options")
    if not isinstance(record, Mapping) or not set(record) <= set(allowed):
        raise UserError(
            f"transform {name!r} is described by {record!r}; it has to be a table of "
            f"{', '.join(allowed)}"
        )
    parameter, bounds, options = (record.get(key) for key in allowed)
    try:
        if not isinstance(bounds, list | tuple | None):
            raise ValueError(f"range is {bounds!r}; it has to be a list of two numbers")
        made = None if bounds is None else tuple(_read_bound(bound) for bound in bounds)
        if not isinstance(parameter, str | None) or not isinstance(options or {}, Mapping):
            raise ValueError("parameter has to be a text and options a table")
        return ImportedOptions(parameter, made, dict(options or {}))
    except ValueError as error:
        raise UserError(f"transform {name!r}: {error}") from None


def _read_bound(bound: Any) -> Bound:
    values = bound if isinstance(bound, list | tuple) else (bound,)
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise ValueError(f"range holds {bound!r}; it has to hold numbers, or lists of numbers")
    try:
        numbers = tuple(float(value) for value in values)
    except OverflowError:
        raise ValueError("range holds numbers that are too large") from None
    return numbers if isinstance(bound, list | tuple) else numbers[0]

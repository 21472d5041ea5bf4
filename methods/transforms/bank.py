"""From names to transforms: our own, and those that other installed packages add."""

from collections.abc import Iterable
from importlib.metadata import entry_points

from datasets.errors import UserError, unknown
from datasets.task import Signal
from methods.transforms import EEG, IMAGE, TRANSFORMS
from methods.transforms.transform import Builder, Transform

GROUP = "augbench.transforms"  # the entry points under which other packages add rows


def make_bank(names: Iterable[str], signal: Signal) -> dict[str, Transform]:
    """The named transforms, bound to the signal, in the order given.

    Raises a UserError for an unknown name, a transform of images for EEG or the reverse, and for a
    signal that lacks what a transform needs.
    """
    known = known_transforms()
    bank = {}
    for name in names:
        if name not in known:
            raise unknown("transform", name, known)
        _check_kind(name, signal)
        transform = known[name](signal)
        if not isinstance(transform, Transform) or transform.name != name:
            raise UserError(
                f"the builder of transform {name!r} returned {transform!r}; "
                "it has to return a Transform of that name"
            )
        bank[name] = transform
    return bank


def known_transforms() -> dict[str, Builder]:
    """Our table, and after it the rows of the entry points.

    Raises a UserError for a row that has a name of ours, or that cannot be imported.
    """
    known = dict(TRANSFORMS)
    for row in entry_points(group=GROUP):
        if row.name in known:
            raise UserError(
                f"{row.value!r} adds a transform {row.name!r}, but there is one of that name "
                "already: rename it in the package that adds it"
            )
        try:
            known[row.name] = row.load()
        except Exception as error:
            raise UserError(
                f"transform {row.name!r} cannot be imported from {row.value!r} "
                f"({type(error).__name__}: {error}): mend or uninstall the package that adds it"
            ) from error
        if not callable(known[row.name]):
            raise UserError(
                f"transform {row.name!r} of {row.value!r} is no builder: it has to be a function "
                "that takes a Signal and returns a Transform"
            )
    return known


def _check_kind(name: str, signal: Signal) -> None:
    other, what = (IMAGE, "images") if signal.kind == "eeg" else (EEG, "EEG")
    if name in other:
        fitting = ", ".join(EEG if signal.kind == "eeg" else IMAGE)
        raise UserError(
            f"transform {name!r} is for {what}, but the task has kind {signal.kind!r}; "
            f"it can use: {fitting}"
        )

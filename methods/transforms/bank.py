"""From names to transforms: our own, and those that other installed packages add."""

from collections.abc import Iterable

from datasets.errors import UserError, unknown
from datasets.plugins import with_plugins
from datasets.task import Signal
from methods.transforms import EEG, IMAGE, TRANSFORMS
from methods.transforms.transform import Builder, Transform


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
    """Our transforms, and those that installed packages add; raises a UserError for a bad row."""
    what = "a function from a Signal to a Transform"
    return with_plugins(TRANSFORMS, "augbench.transforms", callable, what)


def _check_kind(name: str, signal: Signal) -> None:
    other, what = (IMAGE, "images") if signal.kind == "eeg" else (EEG, "EEG")
    if name in other:
        fitting = ", ".join(EEG if signal.kind == "eeg" else IMAGE)
        raise UserError(
            f"transform {name!r} is for {what}, but the task has kind {signal.kind!r}; "
            f"it can use: {fitting}"
        )

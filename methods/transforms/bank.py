"""Transforms by name: our own, those that other packages add, those of other libraries."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import inf
from types import MappingProxyType

from augbench.datasets.errors import UserError, unknown
from augbench.datasets.options.tasks import Kind
from augbench.datasets.plugins import Rows
from augbench.datasets.task import Signal
from augbench.methods.options.imported import ImportedOptions, library_of
from augbench.methods.transforms import EEG, IMAGE, TRANSFORMS
from augbench.methods.transforms.imported.build import imported_builder
from augbench.methods.transforms.transform import Builder, Transform

NO_RANGES: Mapping[str, float] = MappingProxyType({})
NOTHING_IMPORTED: Mapping[str, ImportedOptions] = MappingProxyType({})


def make_bank(
    names: Iterable[str],
    signal: Signal,
    ranges: Mapping[str, float] = NO_RANGES,
    imported: Mapping[str, ImportedOptions] = NOTHING_IMPORTED,
) -> dict[str, Transform]:
    """The named transforms, bound to the signal, in the order given.

    ``ranges`` changes what magnitude 1 means, in the unit of the table. A name may be that of an
    augmentation of kornia or braindecode, as in ``kornia.RandomRotation``; ``imported`` says what
    its magnitude drives where the table of usual ones does not.

    Raises a UserError for an unknown name, a transform of images for EEG or the reverse, a signal
    that lacks what a transform needs, and a range that is not allowed.
    """
    known = known_transforms()
    bank = {}
    for name in names:
        if library_of(name):
            build = imported_builder(name, imported.get(name))
        elif name in known:
            build = known[name]
        else:
            raise unknown("transform", name, known)
        _check_kind(name, signal)
        transform = build(signal)
        if name in ranges:
            transform = build(signal, strongest=_check_range(ranges[name], transform))
        if not isinstance(transform, Transform) or transform.name != name:
            raise UserError(
                f"the builder of transform {name!r} returned {transform!r}; "
                "it has to return a Transform of that name"
            )
        bank[name] = transform
    for what, table in (("ranges", ranges), ("imported", imported)):
        for name in table:
            if name not in bank:
                raise unknown(f"transform in `{what}`", name, bank)
    return bank


def known_transforms() -> Rows[Builder]:
    """Our transforms, and those that installed packages add."""
    what = "a function from a Signal to a Transform"
    return Rows(TRANSFORMS, "augbench.transforms", callable, what)


def every_transform(signals: Iterable[Signal]) -> list[tuple[Kind, Transform]]:
    """All known transforms that can be built for one of the signals, each with that kind."""
    found = []
    usable = known_transforms().usable()
    for signal in signals:
        other = IMAGE if signal.kind == "eeg" else EEG
        for name, build in usable.items():
            if name not in other:
                with suppress(Exception):  # another package's, which is for the other kind
                    made = build(signal)
                    if isinstance(made, Transform) and made.name == name:
                        found.append((signal.kind, made))
    return found


def transform_faults(signals: Iterable[Signal]) -> dict[str, str]:
    """By name why a transform of a package cannot be used for any of the signals, in a sentence."""
    known = known_transforms()
    found = known.faults()
    signals = list(signals)
    for name, build in known.usable().items():
        if name not in TRANSFORMS and (fault := _no_build(name, build, signals)):
            found[name] = f"{known.plugin(name)} {fault}"
    return found


def _no_build(name: str, build: Builder, signals: Iterable[Signal]) -> str:
    """Why a builder has nothing for any of the signals; empty where it has."""
    faults = {}
    for signal in signals:
        try:
            made = build(signal)
        except Exception as error:  # it may be for the other kind
            faults[signal.kind] = f"{type(error).__name__}: {error}"
            continue
        if isinstance(made, Transform) and made.name == name:
            return ""
        faults[signal.kind] = f"the builder returned {made!r}"
    said = "; ".join(f"{kind}: {fault}" for kind, fault in faults.items())
    return f"can be built for no signal ({said}): `augbench check {name}` says more"


def _check_range(strongest: float, transform: Transform) -> float:
    """The range, if the transform can have it."""
    if not transform.graded:
        raise UserError(
            f"`ranges` gives {transform.name!r} {strongest:g}, but its magnitude is a probability: "
            "leave it out"
        )
    most = 1.0 if "probability" in transform.unit else inf
    if not 0 < strongest <= most or strongest == inf:
        allowed = f"above 0 and at most {most:g}" if most < inf else "above 0"
        raise UserError(
            f"`ranges` gives {transform.name!r} {strongest:g} {transform.unit}; "
            f"it has to be {allowed}"
        )
    return strongest


def _check_kind(name: str, signal: Signal) -> None:
    other, what = (IMAGE, "images") if signal.kind == "eeg" else (EEG, "EEG")
    if name in other:
        fitting = ", ".join(EEG if signal.kind == "eeg" else IMAGE)
        raise UserError(
            f"transform {name!r} is for {what}, but the task has kind {signal.kind!r}; "
            f"it can use: {fitting}"
        )

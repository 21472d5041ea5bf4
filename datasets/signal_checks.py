"""What a signal may be: its shape, the names of its channels, its frequencies."""

from math import isfinite
from operator import index
from typing import Any, get_args

from augbench.datasets.errors import UserError, counted, listed, unknown
from augbench.datasets.options.tasks import Kind

AXES = {"eeg": ("channels", "samples"), "image": ("channels", "height", "width")}


def checked_shape(kind: Any, shape: Any) -> tuple[int, ...]:
    """The shape as a tuple of int. UserError: an unknown kind, or a shape that it cannot have."""
    if kind not in get_args(Kind):
        raise unknown("kind of signal", str(kind), get_args(Kind))
    axes = f"({', '.join(AXES[kind])})"
    try:
        sizes = tuple(index(size) for size in shape)
    except TypeError:
        raise UserError(
            f"shape is {shape!r}; it has to be {axes} of one example, as whole numbers"
        ) from None
    if len(sizes) != len(AXES[kind]) or min(sizes) < 1:
        raise UserError(
            f"shape is {sizes}; for kind {kind!r} it has to be {axes} of one example, without an "
            "axis for the examples, and each 1 or more"
        )
    return sizes


def checked_channels(kind: Kind, shape: tuple[int, ...], channels: Any) -> tuple[str, ...]:
    """The names as a tuple. UserError: they are no names, not one for each channel, or repeated."""
    names = None if isinstance(channels, str) or not _can_iterate(channels) else tuple(channels)
    if names is None or not all(isinstance(name, str) for name in names):
        raise UserError(
            f"channels is {channels!r}; it has to be a list of names, such as ('C3', 'C4')"
        )
    if names and kind == "image":
        raise UserError(
            f"channels is {names}, but the channels of images have no names: leave it out"
        )
    if names and len(names) != shape[0]:
        turned = "shape has to be (C, T), is it transposed? " if len(names) == shape[-1] else ""
        raise UserError(
            f"channels has {counted(len(names), 'name')} where shape {shape} has "
            f"{counted(shape[0], 'channel')}: {turned}name each of them, or leave channels out"
        )
    if len(set(names)) < len(names):
        raise UserError(f"channels names one twice: {listed(names)}")
    return tuple(str(name) for name in names)


def check_frequencies(kind: Kind, sampling_rate: Any, band: Any) -> None:
    """Raise a UserError unless both are in hertz; a rate of 0 is one that nobody knows."""
    if not (_is_number(sampling_rate) and isfinite(sampling_rate) and sampling_rate >= 0):
        raise UserError(
            f"sampling_rate is {sampling_rate!r}; it has to be above 0, in hertz, or left out if "
            "it is not known"
        )
    if kind == "image" and sampling_rate:
        raise UserError(f"sampling_rate is {sampling_rate:g}, but images have none: leave it out")
    pair = tuple(band) if _can_iterate(band) else ()
    if len(pair) != 2 or not all(map(_is_number, pair)) or not 0 <= pair[0] < pair[1]:
        raise UserError(
            f"band is {band!r}; it has to be two frequencies in hertz, the first from 0 on and "
            "below the second"
        )


def _can_iterate(value: Any) -> bool:
    return hasattr(value, "__iter__")


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, bool)

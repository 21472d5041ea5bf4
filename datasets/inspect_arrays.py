"""What arrays hold, for whoever is about to make a task of it: facts, and what is odd."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_fields import (
    read_channels,
    read_groups,
    read_labels,
    read_sampling_rate,
)
from augbench.datasets.array_file import ArrayFile
from augbench.datasets.errors import counted, listed
from augbench.datasets.examples import check_header

FEW = 10  # windows of a class, from which less than one is in each part of a fold
UNITS = (  # by the median deviation of a channel: from here on it looks like
    (0.0, "volts"),
    (1e-3, "millivolts"),
    (0.3, "standardised signals"),
    (3.0, "microvolts"),
    (5e3, "raw counts of an amplifier"),
)


class Inspected(NamedTuple):
    """What stands in a file; oddities do not keep a task from being built of it."""

    facts: tuple[str, ...]
    oddities: tuple[str, ...]


class _Numbers(NamedTuple):
    """What the values of x say, over all examples."""

    n_bad: int  # examples with NaN or infinite values
    flat: NDArray[np.float64]  # (C,): the share of the examples in which a channel never changes
    deviation: float  # median over examples and channels
    low: float
    high: float


def inspect_arrays(file: ArrayFile) -> Inspected:
    """Read all of x, block by block. UserError: it cannot be a task at all."""
    x = file.members["x"]
    kind = check_header(x, None, file.name)
    labels, names = read_labels(file, x.shape[0], ())
    groups = read_groups(file, x.shape[0])
    channels = read_channels(file, kind, x.shape[1])
    rate = read_sampling_rate(file, kind)
    numbers = _read_numbers(file)
    counts = np.bincount(labels, minlength=len(names))
    facts = [
        _shape(kind, x.shape, rate),
        f"{counted(len(names), 'class')}: {_balance(names, counts)}",
    ]
    if channels:
        facts.append(f"channels {listed(list(channels))}")
    if groups is not None:
        sizes = np.bincount(groups.number)
        low = "" if sizes.min() == sizes.max() else f"{sizes.min():,} to "
        sizes_text = f"{low}{counted(int(sizes.max()), 'example')}"
        facts.append(f"{counted(len(sizes), 'group')} of {sizes_text}")
    if kind == "eeg":
        unit = [name for start, name in UNITS if numbers.deviation >= start][-1]
        facts.append(
            f"a channel of a window deviates by {numbers.deviation:.3g} (median): it looks like "
            f"{unit}; each is scaled to 1 unless standardise = false"
        )
    else:
        facts.append(f"values from {numbers.low:g} to {numbers.high:g}")
    oddities = [*_odd_values(kind, numbers, channels), *odd_labels(names, counts)]
    if kind == "eeg" and not rate:
        oddities.append(
            "no sampling_rate: operations that think in hertz are left out; add the array, or give "
            "the option sampling_rate"
        )
    if kind == "eeg" and x.shape[1] > x.shape[2]:
        oddities.append(
            f"more channels ({x.shape[1]}) than samples ({x.shape[2]}): x has to be (N, channels, "
            "samples); is it the other way round?"
        )
    if kind == "eeg" and not channels:
        oddities.append("no channels: operations that need places of electrodes are left out")
    own_split = any(name in file.members for name in ("split", "fold"))
    if groups is None and kind == "eeg" and not own_split:
        oddities.append(
            "no groups: windows of one subject will be in training and in test, and the scores "
            "too good; add the array groups"
        )
    return Inspected(tuple(facts), tuple(oddities))


def _read_numbers(file: ArrayFile) -> _Numbers:
    n, n_channels = file.members["x"].shape[:2]
    n_bad, n_flat = 0, np.zeros(n_channels)
    low, high, deviations = np.inf, -np.inf, []
    for block in file.blocks("x").blocks:
        flat = block.reshape(len(block), n_channels, -1).astype(np.float64)
        good = np.isfinite(flat).all((1, 2))
        n_bad += int((~good).sum())
        if good.any():
            values = flat[good]
            n_flat += (np.ptp(values, axis=2) == 0).sum(0)
            deviations.append(values.std(2))
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    deviation = float(np.median(np.concatenate(deviations))) if deviations else 0.0
    return _Numbers(n_bad, n_flat / max(1, n - n_bad), deviation, low, high)


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def _shape(kind: str, shape: tuple[int, ...], rate: float) -> str:
    if kind == "image":
        return f"{counted(shape[0], 'image')} of {shape[1]} x {shape[2]} x {shape[3]}"
    length = f"{shape[2] / rate:g} s at {rate:g} Hz" if rate else counted(shape[2], "sample")
    channels = counted(shape[1], "channel")
    return f"{counted(shape[0], 'window')} of {channels} and {length}"


def _balance(names: tuple[str, ...], counts: NDArray[np.int64]) -> str:
    return listed([f"{name} {count:,}" for name, count in zip(names, counts, strict=True)])


def _odd_values(kind: str, numbers: _Numbers, channels: tuple[str, ...]) -> Iterator[str]:
    if numbers.n_bad:
        examples = counted(numbers.n_bad, "example")
        yield f"NaN or infinite values in {examples}: leave {_them(numbers.n_bad)} out"
    if kind == "image":
        if numbers.low < 0 or numbers.high > 1:
            yield "images have to lie in [0, 1]: scale them"
        return
    for number in np.flatnonzero(numbers.flat > 0):
        name = channels[number] if channels else f"number {number + 1}"
        yield f"channel {name} never changes in {numbers.flat[number]:.0%} of the windows"


def odd_labels(names: tuple[str, ...], counts: NDArray[np.int64]) -> Iterator[str]:
    """What is odd about the number of examples of each class, (K,)."""
    few = [(name, n) for name, n in zip(names, counts.tolist(), strict=True) if n < FEW]
    if len(few) == 1:
        yield f"class {few[0][0]} has {counted(few[0][1], 'example')} only"
    elif few:
        named = listed([f"{name} {n}" for name, n in few])
        yield f"{len(few)} classes have fewer than {FEW} examples: {named}"
    if counts.max() > 3 * counts.min():
        yield "classes are uneven: balanced accuracy, the default metric, weighs them alike"

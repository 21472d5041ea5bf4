"""What comes and goes in the sleeping brain: spindles, K-complexes, eye movements and the like."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.simulated_nights.head import REFERENCE, Derivation

# Seconds since it began, seconds that it lasts, hertz -> its course, at most about 1.
Course = Callable[[NDArray[Any], float, float], NDArray[Any]]

_SIZES = 0.35  # deviation of the natural logarithm of an event's size


class Kind(NamedTuple):
    """A kind of event."""

    name: str
    course: Course
    sources: tuple[Derivation, ...]  # an event has one of them
    unit: Derivation  # where its size is measured
    microvolts: float  # its size, the median
    seconds: tuple[float, float]
    hertz: tuple[float, float]
    per_minute: tuple[float, ...]  # in each of CLASS_NAMES


class Events(NamedTuple):
    """The events of a kind in a night, a number each, in the order of their onsets."""

    onset: NDArray[np.float64]  # seconds from the start of the file
    seconds: NDArray[np.float64]
    hertz: NDArray[np.float64]
    microvolts: NDArray[np.float64]
    source: NDArray[np.int64]


def _waxing(t: NDArray[Any], seconds: float, hertz: float) -> NDArray[Any]:
    course: NDArray[Any] = np.sin(2 * np.pi * hertz * t) * np.sin(np.pi * t / seconds) ** 2
    return course


def _bump(at: float, width: float) -> Course:
    """A single wave, with its top and its width as shares of its time."""

    def course(t: NDArray[Any], seconds: float, hertz: float) -> NDArray[Any]:
        wave: NDArray[Any] = np.exp(-0.5 * ((t / seconds - at) / width) ** 2)
        return wave

    return course


def _k_complex(t: NDArray[Any], seconds: float, hertz: float) -> NDArray[Any]:
    """A sharp negative wave, then a slower and smaller positive one."""
    down, up = _bump(0.3, 0.08), _bump(0.6, 0.13)
    return 0.6 * up(t, seconds, hertz) - down(t, seconds, hertz)


def _sawtooth(t: NDArray[Any], seconds: float, hertz: float) -> NDArray[Any]:
    """Waves that rise slowly and fall fast."""
    course: NDArray[Any] = (2 * (hertz * t % 1) - 1) * np.sin(np.pi * t / seconds) ** 2
    return course


def _saccade(t: NDArray[Any], seconds: float, hertz: float) -> NDArray[Any]:
    """A jump that the amplifier's high-pass brings back."""
    course: NDArray[Any] = (1 - np.exp(-t / 0.03)) * np.exp(-t / (0.2 * seconds))
    return course


_EYES: Derivation = {"AF9": 1.0, "AF10": -1.0}  # left less right
_LOOKS: tuple[Derivation, ...] = (_EYES, {"AF9": -1.0, "AF10": 1.0})
_ONCE = (1.0, 1.0)  # hertz of a kind whose course has none
KINDS = (
    Kind(
        "spindle",
        _waxing,
        sources=({"C3": 1}, {"C4": 1}, {"CZ": 1}, {"FZ": 1}),
        unit=REFERENCE,
        microvolts=16,
        seconds=(0.5, 2.0),
        hertz=(11.0, 16.0),
        per_minute=(0, 0.1, 3.0, 1.5, 0),
    ),
    Kind(
        "K-complex",
        _k_complex,
        sources=({"FZ": 1}, {"CZ": 1}),
        unit=REFERENCE,
        microvolts=70,
        seconds=(0.8, 1.6),
        hertz=_ONCE,
        per_minute=(0, 0.1, 1.2, 0.5, 0),
    ),
    Kind(
        "vertex wave",
        _bump(0.5, 0.15),
        sources=({"CZ": -1},),
        unit=REFERENCE,
        microvolts=30,
        seconds=(0.2, 0.4),
        hertz=_ONCE,
        per_minute=(0, 1.5, 0.3, 0, 0),
    ),
    Kind(
        "sawtooth waves",
        _sawtooth,
        sources=({"CZ": 1}, {"FZ": 1}),
        unit=REFERENCE,
        microvolts=14,
        seconds=(2.0, 6.0),
        hertz=(2.0, 4.0),
        per_minute=(0, 0, 0, 0, 1.0),
    ),
    Kind(
        "rapid eye movement",
        _saccade,
        sources=_LOOKS,
        unit=_EYES,
        microvolts=100,
        seconds=(0.6, 1.5),
        hertz=_ONCE,
        per_minute=(2.0, 0.3, 0, 0, 8.0),
    ),
    Kind(
        "slow eye movement",
        _waxing,
        sources=_LOOKS,
        unit=_EYES,
        microvolts=80,
        seconds=(3.0, 8.0),
        hertz=(0.2, 0.4),
        per_minute=(0.3, 3.0, 0, 0, 0),
    ),
    Kind(
        "blink",
        _bump(0.5, 0.18),
        sources=({"FP1": 0.5, "FP2": 0.5},),
        unit={"FPZ": 1.0, "A1": -0.5, "A2": -0.5},
        microvolts=100,
        seconds=(0.25, 0.45),
        hertz=_ONCE,
        per_minute=(2.0, 0, 0, 0, 0),
    ),
    Kind(
        "movement",
        _waxing,
        sources=({"T7": 1}, {"T8": 1}, {"FPZ": 1}, {"OZ": 1}),
        unit=REFERENCE,
        microvolts=120,
        seconds=(1.0, 8.0),
        hertz=(0.3, 2.0),
        per_minute=(0.5, 0.2, 0.03, 0.02, 0.05),
    ),
)


def draw_events(
    kind: Kind, classes: NDArray[Any], size: float, draw: np.random.Generator
) -> Events:
    """Draw the events of a night; ``classes`` (seconds, 5) says how much of each class holds.

    ``size`` is a factor of their microvolts.
    """
    per_second = classes @ np.array(kind.per_minute) / 60  # (seconds,)
    n = draw.poisson(per_second)
    onset = np.repeat(np.arange(len(n)), n) + draw.random(n.sum())
    return Events(
        np.sort(onset),
        draw.uniform(*kind.seconds, len(onset)),
        draw.uniform(*kind.hertz, len(onset)),
        size * kind.microvolts * np.exp(_SIZES * draw.standard_normal(len(onset))),
        draw.integers(len(kind.sources), size=len(onset)),
    )


def add_events(
    out: NDArray[np.float32],
    start: int,
    rate: int,
    kind: Kind,
    events: Events,
    mixing: NDArray[np.float32],
) -> None:
    """Add to ``out`` (C, n), which begins at sample ``start``, the events that fall into it.

    ``mixing`` is (C, S): what the channels see of the sources.
    """
    stop = start + out.shape[1]
    first = np.ceil(events.onset * rate).astype(np.int64)
    last = np.ceil((events.onset + events.seconds) * rate).astype(np.int64)
    for i in np.flatnonzero((first < stop) & (last > start)):
        begin, end = max(first[i], start), min(last[i], stop)
        t = np.arange(begin, end) / rate - events.onset[i]
        course = events.microvolts[i] * kind.course(t, events.seconds[i], events.hertz[i])
        out[:, begin - start : end - start] += np.outer(mixing[:, events.source[i]], course)

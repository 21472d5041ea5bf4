"""The signals of a simulated night, in microvolts, block by block."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.seeds import Seeds
from augbench.datasets.simulated_nights.events import KINDS, Events, Kind, add_events, draw_events
from augbench.datasets.simulated_nights.head import Derivation, mixing
from augbench.datasets.simulated_nights.rhythms import BLOCK_SECONDS, RHYTHMS, sources, stream
from augbench.datasets.simulated_nights.stages import moving_mean

_CONTACT = 0.1  # deviation between channels of the natural logarithm of their gain
_DRIFT_SECONDS = (10, 300)  # a rhythm grows and shrinks over seconds and over minutes
_MUSCLE_MICROVOLTS = (6.0, 4.0, 3.0, 2.5, 1.2)  # of the chin, in each of CLASS_NAMES


class Sleeper(NamedTuple):
    """How a person differs from others."""

    size: float  # a factor of all that the brain produces
    alpha_hertz: float
    spindle_hertz: float
    rhythms: tuple[float, ...]  # a factor of the size of each of RHYTHMS
    kinds: tuple[float, ...]  # a factor of the number of each of KINDS


def draw_sleeper(draw: np.random.Generator) -> Sleeper:
    """A person, whose factors are log-normal."""
    return Sleeper(
        size=float(np.exp(0.2 * draw.standard_normal())),
        alpha_hertz=float(draw.normal(9.6, 0.9)),
        spindle_hertz=float(draw.normal(13.2, 0.6)),
        rhythms=tuple(float(np.exp(r.subjects * draw.standard_normal())) for r in RHYTHMS),
        kinds=tuple(float(np.exp(0.4 * draw.standard_normal())) for _ in KINDS),
    )


def signals(
    classes: NDArray[np.float64],
    channels: Sequence[Derivation],
    rate: int,
    sleeper: Sleeper,
    seeds: Seeds,
) -> Iterator[NDArray[np.float32]]:
    """Endless blocks (C, BLOCK_SECONDS * rate) in microvolts; after the night it goes on.

    ``classes`` (seconds, 5) is the course of the stages, ``rate`` in samples a second. Each rhythm
    and each kind of event is drawn from a stream of its own.
    """
    streams = [
        stream(rhythm, _peak(rhythm.name, rhythm.hertz, sleeper), rate, _draw(seeds, rhythm.name))
        for rhythm in RHYTHMS
    ]
    gains = _gains(classes, sleeper, seeds)
    seen = np.concatenate([mixing(channels, sources(rhythm)) for rhythm in RHYTHMS], axis=1)
    happenings = _happenings(classes, channels, sleeper, seeds)
    contact = np.exp(_CONTACT * _draw(seeds, "contact").standard_normal((len(channels), 1)))
    middles = np.arange(len(classes)) + 0.5
    n = BLOCK_SECONDS * rate
    start = 0
    while True:
        seconds = np.arange(start, start + n) / rate
        noise = [next(each) for each in streams]
        for each, gain in zip(noise, gains, strict=True):
            each *= np.interp(seconds, middles, gain).astype(np.float32)
        block = seen @ np.concatenate(noise)
        for kind, events, weights in happenings:
            add_events(block, start, rate, kind, events, weights)
        block *= contact.astype(np.float32)
        yield block
        start += n


def muscle_tone(classes: NDArray[np.float64], seeds: Seeds) -> NDArray[np.float64]:
    """(seconds, 5) -> (seconds,): what the chin's muscle produces, in microvolts."""
    noise = _draw(seeds, "muscle").standard_normal(len(classes))
    tone: NDArray[np.float64] = np.exp(classes @ np.log(_MUSCLE_MICROVOLTS) + 0.3 * noise)
    return tone


def _draw(seeds: Seeds, *names: str) -> np.random.Generator:
    return np.random.default_rng(seeds.integer(*names))


def _peak(name: str, hertz: float, sleeper: Sleeper) -> float:
    return {"alpha": sleeper.alpha_hertz, "sigma": sleeper.spindle_hertz}.get(name, hertz)


def _gains(
    classes: NDArray[np.float64], sleeper: Sleeper, seeds: Seeds
) -> list[NDArray[np.float64]]:
    """The strength of each rhythm in each second, (seconds,)."""
    gains = []
    for rhythm, factor in zip(RHYTHMS, sleeper.rhythms, strict=True):
        drift = _drift(len(classes), _draw(seeds, "drift", rhythm.name))
        level = classes @ np.log(rhythm.microvolts) + rhythm.drift * drift
        gains.append(sleeper.size * factor * np.exp(level))
    return gains


def _drift(n_seconds: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """(seconds,) of deviation 1: the mean of a fast and a slow course."""
    drift = np.zeros(n_seconds)
    for width in _DRIFT_SECONDS:
        noise = moving_mean(draw.standard_normal((n_seconds + 2 * width, 1)), width)
        drift += noise[width:-width, 0] * np.sqrt(width / len(_DRIFT_SECONDS))
    return drift


def _happenings(
    classes: NDArray[np.float64], channels: Sequence[Derivation], sleeper: Sleeper, seeds: Seeds
) -> list[tuple[Kind, Events, NDArray[np.float32]]]:
    """The events of the night, by kind, and what the channels see of their sources."""
    happenings = []
    for kind, factor in zip(KINDS, sleeper.kinds, strict=True):
        hertz = kind.hertz
        if kind.name == "spindle":
            hertz = (sleeper.spindle_hertz - 0.8, sleeper.spindle_hertz + 0.8)
        often = tuple(factor * each for each in kind.per_minute)
        own = kind._replace(hertz=hertz, per_minute=often)
        events = draw_events(own, classes, sleeper.size, _draw(seeds, kind.name))
        happenings.append((kind, events, mixing(channels, kind.sources, kind.unit)))
    return happenings

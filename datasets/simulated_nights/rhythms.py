"""The ongoing activity of the brain: noise of several bands, as strong as the stage says."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.simulated_nights.head import Derivation

Spectrum = Callable[[NDArray[Any], float], NDArray[Any]]  # hertz, the peak in hertz -> power

BLOCK_SECONDS = 60
FADE_SECONDS = 4  # in which a block of noise goes over into the next one


class Rhythm(NamedTuple):
    """Noise of one band from some places."""

    name: str
    hertz: float  # of the peak or the knee
    spectrum: Spectrum
    places: tuple[str, ...]  # one independent source at each
    microvolts: tuple[float, ...]  # deviation at Cz against an ear, in each of CLASS_NAMES
    drift: float  # deviation over a night of the natural logarithm of its amplitude
    subjects: float  # the same between people


def _knee(hertz: NDArray[Any], knee: float) -> NDArray[Any]:
    power: NDArray[Any] = (hertz**2 + knee**2) ** -0.9
    return power


def _normal(deviation: float) -> Spectrum:
    return lambda hertz, peak: _bell((hertz - peak) / deviation)


def _log_normal(deviation: float) -> Spectrum:
    return lambda hertz, peak: _bell(np.log(np.maximum(hertz, 1e-9) / peak) / deviation)


def _bell(x: NDArray[Any]) -> NDArray[Any]:
    power: NDArray[Any] = np.exp(-0.5 * x**2)
    return power


_ALL_OVER = ("FP1", "FP2", "C3", "C4", "T7", "T8", "O1", "O2")
_MIDDLE = ("FZ", "C3", "C4", "PZ")
RHYTHMS = (
    Rhythm(
        "background",
        1.0,
        _knee,
        places=_ALL_OVER,
        microvolts=(8.7, 8.9, 10.6, 9.1, 8.6),
        drift=0.18,
        subjects=0.15,
    ),
    Rhythm(
        "delta",
        1.1,
        _log_normal(0.5),
        places=("FPZ", "FZ", "C3", "C4", "PZ"),
        microvolts=(1.5, 2.5, 9.2, 21.1, 2.6),
        drift=0.25,
        subjects=0.2,
    ),
    Rhythm(
        "theta",
        5.8,
        _normal(1.6),
        places=_MIDDLE,
        microvolts=(1.2, 3.3, 3.7, 5.0, 3.6),
        drift=0.2,
        subjects=0.2,
    ),
    Rhythm(
        "alpha",
        9.6,
        _normal(0.9),
        places=("O1", "O2", "PZ"),
        microvolts=(2.4, 1.5, 0.5, 0.4, 0.7),
        drift=0.4,
        subjects=0.35,
    ),
    Rhythm(
        "mixed",
        9.0,
        _normal(1.8),
        places=_MIDDLE,
        microvolts=(1.2, 3.6, 2.9, 4.1, 1.6),
        drift=0.25,
        subjects=0.2,
    ),
    Rhythm(
        "sigma",
        13.2,
        _normal(1.2),
        places=("FZ", "C3", "C4"),
        microvolts=(1.6, 1.1, 2.5, 2.5, 1.0),
        drift=0.2,
        subjects=0.2,
    ),
    Rhythm(
        "beta",
        20.0,
        _normal(6.0),
        places=("F3", "F4", "PZ"),
        microvolts=(2.5, 1.5, 0.4, 0.4, 1.4),
        drift=0.25,
        subjects=0.25,
    ),
)


def sources(rhythm: Rhythm) -> list[Derivation]:
    """One at each of its places."""
    return [{place: 1.0} for place in rhythm.places]


def stream(
    rhythm: Rhythm, peak: float, rate: int, draw: np.random.Generator
) -> Iterator[NDArray[np.float32]]:
    """Endless blocks (S, BLOCK_SECONDS * rate) of the sources of a rhythm, each of deviation 1.

    ``peak`` in hertz, ``rate`` in samples a second. Blocks are drawn apart; each fades into the
    next, with squares of the weights that sum to 1.
    """
    n, fade = (BLOCK_SECONDS + FADE_SECONDS) * rate, FADE_SECONDS * rate
    hertz = np.fft.rfftfreq(n, 1 / rate)
    power = rhythm.spectrum(hertz, peak) * _high_pass(hertz)
    power[-1] = 0.0
    band = slice(*np.flatnonzero(power > 1e-6 * power.max())[[0, -1]] + [0, 1])
    # Of rfft's coefficients, real and imaginary part alike.
    deviation = (n / 2 * np.sqrt(power[band] / power[band].sum())).astype(np.float32)
    fade_in = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    spectra = np.zeros((len(rhythm.places), len(hertz)), dtype=np.complex64)
    last: NDArray[np.float32] | None = None
    while True:
        for spectrum in spectra:
            parts = draw.standard_normal(2 * len(deviation), dtype=np.float32)
            spectrum[band] = parts.view(np.complex64) * deviation
        noise = np.fft.irfft(spectra, n, axis=1).astype(np.float32, copy=False)
        if last is not None:
            noise[:, :fade] = noise[:, :fade] * fade_in + last * fade_in[::-1]
        last = noise[:, -fade:].copy()
        yield noise[:, :-fade]


def _high_pass(hertz: NDArray[Any]) -> NDArray[Any]:
    """Power that the amplifier lets through: half of it at 0.3 Hz."""
    return hertz**4 / (hertz**4 + 0.3**4)

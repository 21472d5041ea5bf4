"""The ongoing activity of the sleeping brain: noise of several bands, as strong as the stage says."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.simulated_nights.head import Derivation

CLASSES = ("W", "N1", "N2", "N3", "REM")  # the order of every row of numbers below
Spectrum = Callable[[NDArray[Any], float], NDArray[Any]]  # hertz, the peak in hertz -> power

BLOCK_SECONDS = 300
FADE_SECONDS = 20  # in which a block of noise goes over into the next one


class Rhythm(NamedTuple):
    """Noise of one band from some places."""

    name: str
    hertz: float  # of the peak or the knee
    spectrum: Spectrum
    places: tuple[str, ...]  # one independent source at each
    microvolts: tuple[float, ...]  # deviation at Cz against an ear, in each of CLASSES
    drift: float  # deviation over a night of the natural logarithm of its amplitude
    subjects: float  # the same between people


def _knee(hertz: NDArray[Any], knee: float) -> NDArray[Any]:
    return 1 / (hertz**2 + knee**2)


def _normal(deviation: float) -> Spectrum:
    return lambda hertz, peak: np.exp(-0.5 * ((hertz - peak) / deviation) ** 2)


def _log_normal(deviation: float) -> Spectrum:
    def power(hertz: NDArray[Any], peak: float) -> NDArray[Any]:
        octaves = np.log(np.maximum(hertz, 1e-9) / peak)
        return np.exp(-0.5 * (octaves / deviation) ** 2)

    return power


_ALL_OVER = ("FP1", "FP2", "F7", "F8", "FZ", "C3", "C4", "T7", "T8", "PZ", "O1", "O2")
RHYTHMS = (
    Rhythm("background", 1.0, _knee, _ALL_OVER, (8.0, 9.0, 10.0, 11.0, 8.5), 0.18, 0.15),
    Rhythm("delta", 1.1, _log_normal(0.5), ("FZ", "CZ", "PZ"), (1, 3, 11, 20, 3), 0.25, 0.2),
    Rhythm("theta", 5.5, _normal(1.2), ("FZ", "CZ"), (1.5, 3.0, 3.5, 3.5, 3.0), 0.2, 0.2),
    Rhythm("alpha", 9.6, _normal(0.9), ("O1", "O2", "PZ"), (2.5, 2.0, 1.5, 1.5, 1.3), 0.4, 0.35),
    Rhythm("sigma", 13.0, _normal(1.2), ("C3", "C4"), (0.8, 0.6, 1.5, 1.5, 0.5), 0.2, 0.2),
    Rhythm("beta", 20.0, _normal(6.0), ("F3", "F4", "C3", "C4", "P3", "P4"), (3, 1.5, 1, 1, 1.3), 0.25, 0.25),
)


def sources(rhythm: Rhythm) -> list[Derivation]:
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

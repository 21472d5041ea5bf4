"""The noise of a rhythm: its size, its band, and no seam between blocks."""

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from augbench.datasets.simulated_nights.rhythms import BLOCK_SECONDS, FADE_SECONDS, RHYTHMS, stream

RATE = 100
NAMES = {rhythm.name: rhythm for rhythm in RHYTHMS}


def noise(name: str, n_blocks: int, seed: int = 0) -> NDArray[np.float32]:
    rhythm = NAMES[name]
    blocks = stream(rhythm, rhythm.hertz, RATE, np.random.default_rng(seed))
    return np.concatenate([*islice(blocks, n_blocks)], axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_sources_have_deviation_1_and_are_independent(name: str) -> None:
    x = noise(name, 40)
    assert x.shape == (len(NAMES[name].places), 40 * BLOCK_SECONDS * RATE)
    assert x.std(axis=1) == pytest.approx(1, abs=0.05)
    assert abs(np.corrcoef(x) - np.eye(len(x))).max() < 0.1
    assert abs(x.mean()) < 0.01  # the amplifier lets no constant through


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("delta", 0.5, 4),
        ("theta", 3, 8),
        ("alpha", 8, 12),
        ("mixed", 6, 12),
        ("sigma", 11, 16),
        ("beta", 12, 32),
    ],
)
def test_the_power_lies_in_the_band_of_that_name(name: str, low: float, high: float) -> None:
    power = (abs(np.fft.rfft(noise(name, 10))) ** 2).mean(axis=0)
    hertz = np.fft.rfftfreq(2 * (len(power) - 1), 1 / RATE)
    assert power[(hertz > low) & (hertz < high)].sum() > 0.85 * power.sum()


def test_the_background_falls_with_frequency() -> None:
    power = (abs(np.fft.rfft(noise("background", 40))) ** 2).mean(axis=0)
    hertz = np.fft.rfftfreq(2 * (len(power) - 1), 1 / RATE)
    band = (hertz > 3) & (hertz < 40)
    slope = np.polyfit(np.log(hertz[band]), np.log(power[band]), 1)[0]
    assert -2.1 < slope < -1.5
    assert power[hertz < 0.1].mean() < 0.05 * power[(hertz > 0.5) & (hertz < 1)].mean()


def test_no_seam_can_be_seen_between_two_blocks() -> None:
    n, fade = BLOCK_SECONDS * RATE, FADE_SECONDS * RATE
    around = [noise("background", 2, seed)[:, n - fade : n + 2 * fade] for seed in range(60)]
    x = np.concatenate(around)  # (480, 3 * fade)
    steps = np.diff(x, axis=1).std(axis=0)
    assert steps == pytest.approx(steps.mean(), rel=0.2)
    assert x.std(axis=0) == pytest.approx(1, abs=0.2)


def test_the_same_generator_gives_the_same_bytes() -> None:
    assert (noise("alpha", 3, 7) == noise("alpha", 3, 7)).all()
    assert (noise("alpha", 3, 7) != noise("alpha", 3, 8)).any()
    assert noise("alpha", 1).dtype == np.float32

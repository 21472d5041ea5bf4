"""The simulated EEG beside what is known of real EEG."""

from collections.abc import Sequence
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from augbench.datasets.seeds import Seeds
from augbench.datasets.simulated_nights.events import KINDS
from augbench.datasets.simulated_nights.head import REFERENCE, Derivation
from augbench.datasets.simulated_nights.hypnograms import cut_hypnogram, draw_hypnogram
from augbench.datasets.simulated_nights.layouts import LAYOUTS
from augbench.datasets.simulated_nights.rhythms import BLOCK_SECONDS, RHYTHMS
from augbench.datasets.simulated_nights.signals import Sleeper, draw_sleeper, muscle_tone, signals
from augbench.datasets.simulated_nights.stages import stage_course
from augbench.datasets.sleep_stages import CLASS_NAMES

RATE = 100
LETTERS = "W123R"
BANDS = ((0.5, 4), (4, 8), (8, 12), (12, 16), (16, 30))  # hertz
EDGES = (0.5, 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24)  # hertz, of finer bands
OCCIPITAL: tuple[Derivation, ...] = ({"O1": 1.0, "A2": -1.0}, {"F3": 1.0, "A2": -1.0})
AVERAGE = Sleeper(1.0, 9.6, 13.2, (1.0,) * len(RHYTHMS), (1.0,) * len(KINDS))
Page = NDArray[np.float32]  # (C, T)


def simulate(
    hypnogram: str,
    channels: Sequence[Derivation],
    subject: int = 0,
    rate: int = RATE,
    sleeper: Sleeper | None = None,
) -> NDArray[np.float32]:
    """(pages, C, 30 * rate) in microvolts."""
    seeds = Seeds(("test", subject))
    classes = stage_course(hypnogram, 0.0, np.random.default_rng(seeds.integer("stages")))
    if sleeper is None:
        sleeper = draw_sleeper(np.random.default_rng(seeds.integer("sleeper")))
    n_blocks = -(-30 * len(hypnogram) // BLOCK_SECONDS)
    blocks = islice(signals(classes, channels, rate, sleeper, seeds), n_blocks)
    x = np.concatenate([*blocks], axis=1)[:, : 30 * rate * len(hypnogram)]
    pages: NDArray[np.float32] = x.reshape(len(channels), len(hypnogram), -1).swapaxes(0, 1)
    return pages


def spectra(x: NDArray[np.float32], rate: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(..., T) -> hertz (F,), power a hertz (..., F): the mean over pieces of 4 s."""
    n = 4 * rate
    window = np.hanning(n)
    pieces = x[..., : x.shape[-1] // n * n].reshape(*x.shape[:-1], -1, n)
    pieces = pieces - pieces.mean(axis=-1, keepdims=True)
    power = abs(np.fft.rfft(pieces * window, axis=-1)) ** 2 * 2 / (rate * (window**2).sum())
    return np.fft.rfftfreq(n, 1 / rate), power.mean(axis=-2)


def bands(
    x: NDArray[np.float32], rate: int, edges: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """(..., T) -> (..., K): mean power a hertz in each band."""
    hertz, power = spectra(x, rate)
    inside = [power[..., (hertz >= low) & (hertz < high)] for low, high in edges]
    return np.stack([each.mean(axis=-1) for each in inside], axis=-1)


@pytest.fixture(scope="module")
def by_stage() -> dict[str, NDArray[np.float32]]:
    """Pages of O1 and F3 of several people in each stage, (pages, 2, T)."""
    return {
        stage: np.concatenate([simulate(stage * 40, OCCIPITAL, subject) for subject in range(8)])
        for stage in LETTERS
    }


def share(x: NDArray[np.float32], low: float, high: float) -> float:
    """Of the power from 0.5 to 30 Hz, the median over pages."""
    hertz, power = spectra(x, RATE)
    inside = power[..., (hertz >= low) & (hertz < high)].sum(axis=-1)
    return float(np.median(inside / power[..., (hertz >= 0.5) & (hertz < 30)].sum(axis=-1)))


def test_alpha_is_strongest_in_wake_and_over_the_back(by_stage: dict[str, Page]) -> None:
    shares = {stage: share(pages[:, 0], 8, 12) for stage, pages in by_stage.items()}
    assert max(shares, key=shares.__getitem__) == "W"
    assert shares["W"] > 1.5 * share(by_stage["W"][:, 1], 8, 12)
    assert shares["W"] > 2 * shares["3"]


def test_delta_is_strongest_in_deep_sleep(by_stage: dict[str, Page]) -> None:
    for channel in (0, 1):
        deltas = {stage: share(pages[:, channel], 0.5, 4) for stage, pages in by_stage.items()}
        assert max(deltas, key=deltas.__getitem__) == "3"
    deep = np.ptp(by_stage["3"][:, 1], axis=1)
    assert np.median(deep) > 75  # microvolts from top to bottom: the rule for N3


def test_theta_and_sigma_are_where_they_belong(by_stage: dict[str, Page]) -> None:
    frontal = {stage: pages[:, 1] for stage, pages in by_stage.items()}
    theta = {stage: share(pages, 4, 8) for stage, pages in frontal.items()}
    assert min(theta["1"], theta["R"]) > 1.2 * theta["W"]
    power = {stage: np.median(bands(x, RATE, [(12, 15)])) for stage, x in frontal.items()}
    assert power["2"] > 1.5 * max(power["1"], power["R"])  # spindles


def test_people_differ_in_size_and_in_the_frequency_of_alpha() -> None:
    people = [draw_sleeper(np.random.default_rng(seed)) for seed in range(300)]
    for name, mean, deviation in (("alpha_hertz", 9.6, 0.9), ("spindle_hertz", 13.2, 0.6)):
        values = [getattr(person, name) for person in people]
        assert np.mean(values) == pytest.approx(mean, abs=0.2)
        assert np.std(values) == pytest.approx(deviation, rel=0.2)
    sizes = np.log([person.size for person in people])
    assert np.std(sizes) == pytest.approx(0.2, rel=0.2)


def test_the_peak_of_alpha_is_where_the_person_has_it() -> None:
    seeds = Seeds(("test",))
    classes = np.eye(len(CLASS_NAMES))[np.zeros(1200, dtype=int)]
    person = draw_sleeper(np.random.default_rng(0))
    for hertz in (8.0, 11.0):
        ours: Sleeper = person._replace(alpha_hertz=hertz, rhythms=(1.0,) * len(person.rhythms))
        blocks = islice(signals(classes, [{"OZ": 1.0, "FZ": -1.0}], RATE, ours, seeds), 20)
        found, power = spectra(np.concatenate([*blocks], axis=1)[0], RATE)
        inside = (found > 7) & (found < 13)
        assert found[inside][power[inside].argmax()] == pytest.approx(hertz, abs=0.75)


def test_electrodes_side_by_side_are_alike_and_far_ones_less() -> None:
    x = simulate("2" * 40, [{name: 1.0, "A1": -0.5, "A2": -0.5} for name in ("F3", "C3", "O2")])
    correlations = np.corrcoef(x.swapaxes(0, 1).reshape(3, -1))
    assert correlations[0, 1] > correlations[0, 2] + 0.2


def test_the_same_person_sleeps_alike_at_every_rate() -> None:
    slow, fast = (simulate("23" * 20, [REFERENCE], rate=rate) for rate in (100, 256))
    ratio = np.log(bands(fast, 256, BANDS) / bands(slow, 100, BANDS)).mean(axis=(0, 1))
    assert abs(ratio).max() < 0.1


def test_the_chin_rests_in_rem() -> None:
    tone = {
        stage: muscle_tone(np.eye(5)[np.full(500, stage)], Seeds(("test",))).mean()
        for stage in range(5)
    }
    assert sorted(tone, key=tone.__getitem__) == [4, 3, 2, 1, 0]


def test_a_linear_classifier_finds_it_as_hard_as_real_nights_and_n1_the_hardest() -> None:
    channels = list(LAYOUTS["sleep-edf"].channels.values())[:2]
    features, labels, people = [], [], []
    for subject in range(10):
        draw = np.random.default_rng(subject)
        hypnogram = cut_hypnogram(draw_hypnogram(draw), 400, draw).replace("4", "3")
        x = simulate(hypnogram, channels, subject)
        features.append(np.log(bands(x, RATE, BANDS)).reshape(len(x), -1))
        labels += [LETTERS.index(stage) for stage in hypnogram]
        people += [subject] * len(hypnogram)
    x, y, fold = np.concatenate(features), np.array(labels), np.array(people) % 5
    found = np.empty_like(y)
    for k in range(5):
        model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=500)
        )
        found[fold == k] = model.fit(x[fold != k], y[fold != k]).predict(x[fold == k])
    assert 0.60 < balanced_accuracy_score(y, found) < 0.80
    assert recall_score(y, found, average=None).argmin() == CLASS_NAMES.index("N1")


def dreams_pages(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int8], int]:
    """The pages of 20 s of a real recording: (N, T) in microvolts, stages (N, 4), the rate."""
    with np.load(path) as file:
        rate, stages = int(file["sampling_rate"]), file["stage_5s"]
        pages = file["signal_uv"][: len(stages) * 5 * rate].reshape(len(stages) // 4, -1)
    return pages, stages.reshape(-1, 4), rate


def test_spectra_of_four_stages_are_those_of_real_eeg(data_root: Path) -> None:
    """In 11 bands up to 24 Hz, at Cz against an ear: the root mean square of the logarithms."""
    edges = [*pairwise(EDGES)]
    files = sorted((data_root / "sleep" / "dreams_spindles").glob("*.npz"))
    if not files:
        pytest.skip(f"no sleep/dreams_spindles under {data_root}")
    codes = {"W": (5,), "1": (3,), "2": (2,), "3": (0, 1)}
    real: dict[str, list[NDArray[np.float64]]] = {stage: [] for stage in codes}
    weights: dict[str, list[int]] = {stage: [] for stage in codes}
    for file in files:
        pages, stages, rate = dreams_pages(file)
        for stage, own in codes.items():
            pure = (stages == stages[:, :1]).all(axis=1) & np.isin(stages[:, 0], own)
            if pure.any():
                real[stage].append(np.median(bands(pages[pure], rate, edges), axis=0))
                weights[stage].append(min(int(pure.sum()), 20))
    for stage in codes:
        target = np.average(np.log(real[stage]), axis=0, weights=weights[stage])
        ours = [
            np.log(bands(simulate(stage * 40, [REFERENCE], seed, RATE, AVERAGE)[:, 0], RATE, edges))
            for seed in range(5)
        ]
        error = np.median(np.concatenate(ours), axis=0) - target
        assert np.sqrt(np.mean(error**2)) < 0.25, stage

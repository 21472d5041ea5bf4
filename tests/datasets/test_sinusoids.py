from dataclasses import replace
from math import pi
from pathlib import Path

import pytest
import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.sinusoids import FREQUENCIES, sinusoids
from augbench.datasets.task import Split, Task

OPTIONS = SinusoidsOptions()


def make(seed: int = 0, **changes: object) -> Task:
    return sinusoids(replace(OPTIONS, **changes), Path("nowhere"), seed)  # type: ignore[arg-type]


def everything(task: Task, k: int = 0) -> Split:
    fold = task.fold(k)
    splits = [fold.views.train, fold.views.model_valid, fold.test]
    return Split(*(torch.cat(tensors) for tensors in zip(*splits, strict=True)))


def spectral_peaks(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 1, T) -> the frequency in hertz and the phase (of a cosine) of the largest peak, (N,)."""
    spectrum = torch.fft.rfft(x[:, 0], n=8000)
    peak = spectrum.abs().argmax(1)
    phase = spectrum.gather(1, peak[:, None])[:, 0].angle()
    return peak * 100 / 8000, phase


def test_sizes_are_the_papers_and_classes_are_even() -> None:
    fold = make().fold(0)
    assert len(fold.views.train.y) + len(fold.views.model_valid.y) == 400
    assert torch.bincount(fold.views.train.y).tolist() == [80] * 4
    assert torch.bincount(fold.views.model_valid.y).tolist() == [20] * 4
    assert torch.bincount(fold.test.y).tolist() == [50] * 4


def test_every_wave_lies_within_half_a_hertz_of_its_class_and_they_fill_the_band() -> None:
    x, y = everything(make(noise=0.0))
    offset = spectral_peaks(x)[0] - torch.tensor(FREQUENCIES)[y]
    assert offset.abs().max() < 0.53
    assert offset.max() > 0.45
    assert offset.min() < -0.45


@pytest.mark.parametrize("half_band", [0.1, 0.75])
def test_a_band_can_be_narrower_or_wider_than_the_papers(half_band: float) -> None:
    x, y = everything(make(noise=0.0, half_band=half_band))
    offset = (spectral_peaks(x)[0] - torch.tensor(FREQUENCIES)[y]).abs()
    assert 0.9 * half_band < offset.max() < half_band + 0.03


def test_amplitude_is_one_and_noise_has_its_deviation() -> None:
    assert float(everything(make(noise=0.0)).x.abs().max()) == pytest.approx(1.0, abs=1e-3)
    x = everything(make()).x
    assert float(x.var()) == pytest.approx(0.5 + 0.5**2, rel=0.01)


def test_phases_fill_the_circle_and_do_not_tell_of_class() -> None:
    x, y = everything(make(noise=0.0, n_train=2000))
    phase = spectral_peaks(x)[1]
    for label in range(4):
        mean = torch.polar(torch.ones(1), phase[y == label]).mean()
        assert mean.abs() < 0.15


def test_official_phases_shrink_with_the_frequency() -> None:
    x, y = everything(make(noise=0.0, n_train=2000, phase="official"))
    sine_phase = torch.remainder(spectral_peaks(x)[1] + pi / 2, 2 * pi)
    fast = sine_phase[y == 3]
    inside = (fast < pi / 2 + 0.2) | (fast > 2 * pi - 0.2)
    assert inside.float().mean() > 0.99


def test_folds_and_seeds_are_independent_draws() -> None:
    waves = [everything(make(), 0), everything(make(), 1), everything(make(seed=1), 0)]
    sets = [{row.numpy().tobytes() for row in split.x} for split in waves]
    assert len(set.union(*sets)) == 3 * 600
    assert make(seed=1).fingerprint != make().fingerprint


def test_the_numbers_are_those_that_were_drawn_at_first() -> None:
    x, y = everything(make(n_train=8, n_test=4, n_folds=1))
    assert y.tolist() == [2, 1, 3, 0, 1, 0, 2, 3, 2, 1, 3, 0]
    assert x[0, 0, :3].tolist() == pytest.approx([0.7827920, 0.9211686, 0.8590221], abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_train": 3}, "n_train is 3; sinusoids need at least 8"),
        ({"n_test": 0}, "n_test is 0"),
        ({"n_folds": 0}, "n_folds is 0"),
        ({"half_band": 0.0}, "half_band is 0 hertz; it must lie between 0 and 1, where classes"),
        ({"half_band": 1.0}, "half_band is 1 hertz"),
        ({"half_band": float("nan")}, "half_band is nan hertz"),
        ({"noise": -1.0}, r"noise is -1.0; a standard deviation is 0 or more"),
        ({"valid_share": 0.0}, "valid_share is 0.0; it must lie between 0 and 1"),
    ],
)
def test_impossible_options_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make(**changes)

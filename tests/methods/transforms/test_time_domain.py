import numpy as np
import pytest
import torch
from braindecode.augmentation import functional
from hypothesis import given, settings
from hypothesis import strategies as st

from augbench.datasets.task import Signal
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.time_domain import gaussian_noise, time_mask, time_reverse

LONG = Signal("eeg", (2, 3000))


def noisy(n_samples: int, signal: Signal, seed: int = 0) -> torch.Tensor:
    return torch.randn(n_samples, *signal.shape, generator=torch.Generator().manual_seed(seed))


def test_time_reverse_agrees_with_braindecode(eeg: Signal) -> None:
    x = noisy(3, eeg)
    out = time_reverse(eeg).apply(x, torch.ones(3), torch.rand(3))
    assert torch.equal(out, functional.time_reverse(x, None)[0])


@given(n_times=st.integers(1, 50), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_reversing_twice_is_the_identity(n_times: int, seed: int) -> None:
    signal = Signal("eeg", (2, n_times))
    x, ones, noise = noisy(2, signal, seed), torch.ones(2), torch.rand(2)
    transform = time_reverse(signal)
    once = transform.apply(x, ones, noise)
    assert torch.equal(once[..., 0], x[..., -1])
    assert torch.equal(transform.apply(once, ones, noise), x)


@pytest.mark.parametrize("magnitude", [0.1, 0.5, 1.0])
def test_time_mask_agrees_with_braindecode(magnitude: float) -> None:
    x, uniform = noisy(4, LONG), torch.rand(4, generator=torch.Generator().manual_seed(1))
    length = 200 * magnitude
    expected, _ = functional.smooth_time_mask(x, None, uniform * (3000 - length), length)
    out = time_mask(LONG, strongest=200.0).apply(x, torch.full((4,), magnitude), uniform)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-4)


@given(magnitude=st.floats(0.2, 1), options=st.floats(0.05, 0.95))
@settings(max_examples=25, deadline=None)
def test_time_mask_silences_a_span_of_the_right_length(magnitude: float, options: float) -> None:
    transform = time_mask(LONG, strongest=200.0)
    x = torch.ones(1, 2, 3000, dtype=torch.float64)
    length = 200 * magnitude
    out = transform.apply(x, torch.tensor([magnitude]), torch.tensor([options], dtype=x.dtype))[0]
    assert torch.equal(out[0], out[1])
    assert float((1 - out[0]).sum()) == pytest.approx(length, abs=0.01)
    silent = (out[0] < 0.5).nonzero().flatten()
    assert len(silent) == pytest.approx(length, abs=1.5)
    assert torch.equal(silent, torch.arange(int(silent[0]), int(silent[-1]) + 1))
    assert float(silent[0]) == pytest.approx(options * (3000 - length), abs=1.5)
    assert float(out[0, (silent[0] + silent[-1]) // 2]) < 0.01


@pytest.mark.parametrize(("n_times", "samples"), [(3840, 200), (640, 33.3), (3000, 156.25)])
def test_time_mask_scales_with_the_window_and_is_the_papers_on_its_windows(
    n_times: int, samples: float
) -> None:
    transform = time_mask(Signal("eeg", (1, n_times)))
    assert transform.strongest == pytest.approx(samples, abs=0.05)
    x = torch.ones(1, 1, n_times)
    out = transform.apply(x, torch.ones(1), torch.tensor([0.5]))
    assert float((1 - out).sum()) == pytest.approx(samples, abs=0.6)


@pytest.mark.parametrize(("n_times", "strongest"), [(3000, 200), (400, 200), (120, 60), (7, 3.5)])
def test_a_range_in_samples_is_kept_up_to_half_the_window(n_times: int, strongest: float) -> None:
    signal = Signal("eeg", (1, n_times))
    transform = make_bank(["time_mask"], signal, {"time_mask": 200.0})["time_mask"]
    assert transform.strongest == strongest
    x = torch.ones(1, 1, n_times)
    out = transform.apply(x, torch.ones(1), torch.tensor([0.5]))
    # Edges of windows this short are so steep that whole samples are counted.
    assert float((1 - out).sum()) == pytest.approx(strongest, abs=0.6)


def test_gaussian_noise_agrees_with_braindecode(eeg: Signal) -> None:
    x = noisy(3, eeg)
    expected, _ = functional.gaussian_noise(x, None, 0.1, random_state=3)
    noise = torch.from_numpy(np.random.RandomState(3).normal(size=x.shape)).float()
    out = gaussian_noise(eeg).apply(x, torch.full((3,), 0.5), noise)
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-6)


@given(magnitude=st.floats(0.05, 1), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_added_noise_is_white_with_the_promised_deviation(magnitude: float, seed: int) -> None:
    x = noisy(8, LONG, seed)
    transform = gaussian_noise(LONG)
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    added = transform.apply(x, torch.full((8,), magnitude), noise) - x
    assert float(added.std()) == pytest.approx(0.2 * magnitude, rel=0.03)
    assert abs(float(added.mean())) < 0.02 * magnitude
    neighbours = (added[..., 1:] * added[..., :-1]).mean() / added.square().mean()
    assert abs(float(neighbours)) < 0.03

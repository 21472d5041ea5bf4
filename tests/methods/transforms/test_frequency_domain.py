import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from braindecode.augmentation import functional
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import hilbert

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.frequency_domain import band_stop, frequency_shift, ft_surrogate

RATE = 100.0
LONG = Signal("eeg", (2, 3000), sampling_rate=RATE)


def noisy(n_samples: int, signal: Signal, seed: int = 0) -> torch.Tensor:
    return torch.randn(n_samples, *signal.shape, generator=torch.Generator().manual_seed(seed))


def tone(hertz: float, n_times: int = 3000, rate: float = RATE) -> torch.Tensor:
    """(1, 1, T) in float64."""
    seconds = torch.arange(n_times, dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hertz * seconds + 0.3).reshape(1, 1, -1)


@pytest.mark.parametrize("n_times", [400, 401])
@pytest.mark.parametrize("channel_indep", [False, True])
def test_ft_surrogate_agrees_with_braindecode(n_times: int, channel_indep: bool) -> None:
    signal = Signal("eeg", (3, n_times))
    x = noisy(2, signal)
    expected, _ = functional.ft_surrogate(x, None, 0.7, channel_indep, random_state=5)
    n_free = (n_times - 1) // 2
    uniform = np.random.RandomState(5).random((2, 3 if channel_indep else 1, n_free))
    transform = ft_surrogate(signal, channel_indep=channel_indep)
    noise = torch.zeros_like(transform.draw(x, None))
    noise[..., 1 : 1 + n_free] = torch.from_numpy(uniform)
    out = transform.apply(x, torch.full((2,), 0.7), noise)
    torch.testing.assert_close(out, expected, rtol=0, atol=2e-5)


@given(magnitude=st.floats(0, 1), n_times=st.integers(2, 300), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_ft_surrogate_keeps_the_amplitude_spectrum(
    magnitude: float, n_times: int, seed: int
) -> None:
    signal = Signal("eeg", (2, n_times))
    x = noisy(3, signal, seed).double()
    transform = ft_surrogate(signal)
    noise = transform.draw(x, torch.Generator().manual_seed(seed))
    out = transform.apply(x, torch.full((3,), magnitude), noise)
    torch.testing.assert_close(torch.fft.rfft(out).abs(), torch.fft.rfft(x).abs())
    torch.testing.assert_close(out.mean(-1), x.mean(-1))


def test_ft_surrogate_keeps_the_phases_between_channels_unless_told_otherwise() -> None:
    x = noisy(2, LONG).double()

    def between(x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.fft.rfft(x)[..., 1:-1]
        return spectrum[:, 0] * spectrum[:, 1].conj()

    for channel_indep in (False, True):
        transform = ft_surrogate(LONG, channel_indep=channel_indep)
        out = transform.apply(x, torch.ones(2), transform.draw(x, torch.Generator().manual_seed(0)))
        assert not torch.allclose(out, x, atol=0.1)
        assert torch.allclose(between(out), between(x)) != channel_indep


@pytest.mark.parametrize("magnitude", [0.02, 0.5, 1.0])
@pytest.mark.parametrize(("n_times", "rate"), [(3000, 100.0), (1001, 128.0), (15360, 256.0)])
def test_frequency_shift_agrees_with_braindecode_over_long_windows(
    magnitude: float, n_times: int, rate: float
) -> None:
    signal = Signal("eeg", (2, n_times), sampling_rate=rate)
    x, noise = noisy(3, signal), torch.tensor([-0.9, 0.31, 1.0])
    hertz = (5.0 * torch.full((3,), magnitude) * noise).double()
    out = frequency_shift(signal).apply(x, torch.full((3,), magnitude), noise)
    theirs, _ = functional.frequency_shift(x, None, hertz, rate)
    torch.testing.assert_close(out, theirs, rtol=0, atol=3e-4)  # its seconds are in float32
    analytic = hilbert(x.double().numpy(), N=2 ** math.ceil(math.log2(n_times)))[..., :n_times]
    turn = np.exp(2j * np.pi * hertz.numpy()[:, None, None] * np.arange(n_times) / rate)
    expected = torch.from_numpy((analytic * turn).real).float()
    torch.testing.assert_close(out, expected, rtol=0, atol=1e-5)


@given(hertz=st.floats(10, 35), shift=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_frequency_shift_moves_the_spectral_peak_by_as_many_hertz(
    hertz: float, shift: float
) -> None:
    def peak(x: torch.Tensor) -> float:
        window = torch.hann_window(x.shape[-1], dtype=x.dtype)
        power = torch.fft.rfft(x * window, n=30_000).abs().flatten()
        return float(power.argmax()) * RATE / 30_000

    x = tone(hertz)
    out = frequency_shift(LONG).apply(x, torch.ones(1), torch.tensor([shift / 5]))
    assert peak(out) - peak(x) == pytest.approx(shift, abs=0.01)


@pytest.mark.parametrize("width", [1.0, 1.5])
def test_band_stop_agrees_with_mne_between_equal_half_gain_points(width: float) -> None:
    # braindecode leaves the width to MNE, which halves the amplitude 0.25 Hz outside of it.
    x, centre = noisy(2, LONG).double(), torch.tensor([12.3, 31.0], dtype=torch.float64)
    expected, _ = functional.bandstop_filter(x, None, RATE, width, centre.numpy())
    out = band_stop(LONG).apply(x, torch.full((2,), (width + 0.5) / 2), centre)
    inner = slice(400, -400)  # MNE reflects the window at its ends, here it is periodic
    removed = (expected - x)[..., inner].std()
    assert removed > 0.15
    assert (out - expected)[..., inner].std() < 0.005


def test_braindecode_jumps_at_width_0_and_here_the_identity_is_reached_smoothly() -> None:
    x, centre = tone(20.0), torch.tensor([20.0], dtype=torch.float64)
    theirs, _ = functional.bandstop_filter(x, None, RATE, 1e-6, centre.numpy())
    ours = band_stop(LONG).apply(x, torch.tensor([1e-6]), centre)
    assert float(theirs[..., 1000:2000].abs().max()) < 0.05
    torch.testing.assert_close(ours, x, rtol=0, atol=1e-4)


@given(centre=st.floats(8, 42), away=st.floats(2.5, 5))
@settings(max_examples=25, deadline=None)
def test_band_stop_removes_its_centre_and_keeps_what_is_far(centre: float, away: float) -> None:
    transform = band_stop(LONG)
    noise = torch.tensor([centre], dtype=torch.float64)
    inner = slice(300, -300)

    def kept(hertz: float) -> float:
        x = tone(hertz)
        out = transform.apply(x, torch.ones(1), noise)
        return float(out[..., inner].square().mean() / x[..., inner].square().mean()) ** 0.5

    assert kept(centre) < 0.05
    assert kept(centre + away) == pytest.approx(1, abs=0.02)
    assert kept(centre - away) == pytest.approx(1, abs=0.02)
    assert kept(centre + 1) == pytest.approx(0.5, abs=0.05)


def test_band_stop_keeps_its_band_inside_the_spectrum() -> None:
    centre = band_stop(LONG).draw(torch.zeros(5000, 1, 1), torch.Generator().manual_seed(0))
    assert float(centre.min()) == pytest.approx(2, abs=0.1)
    assert float(centre.max()) == pytest.approx(48, abs=0.1)


@pytest.mark.parametrize("builder", [frequency_shift, band_stop])
def test_a_missing_sampling_rate_is_said_in_one_sentence(builder) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError, match=f"'{builder.__name__}' needs the sampling rate"):
        builder(Signal("eeg", (2, 100)))


def test_a_sampling_rate_without_room_for_a_band_is_said_in_one_sentence() -> None:
    with pytest.raises(UserError, match="above 8 Hz, the signal has 8 Hz"):
        band_stop(Signal("eeg", (2, 100), sampling_rate=8.0))
    band_stop(Signal("eeg", (2, 100), sampling_rate=8.5))


def test_band_stop_stays_within_the_band_that_the_recording_was_filtered_to() -> None:
    """A band outside of it removes nothing: 30 % of the draws on 5 to 45 Hz at 128 Hz did."""
    filtered = Signal("eeg", (1, 640), (), 128.0, band=(5.0, 45.0))
    centre = band_stop(filtered).draw(torch.zeros(4000, 1, 640), None)
    assert 7.0 <= float(centre.min()) < 7.1
    assert 42.9 < float(centre.max()) <= 43.0
    everything = band_stop(replace(filtered, band=(0.0, math.inf)))
    centre = everything.draw(torch.zeros(4000, 1, 640), None)
    assert float(centre.min()) < 2.1
    assert float(centre.max()) > 61.8


def test_band_stop_needs_room_in_the_band() -> None:
    narrow = Signal("eeg", (1, 640), (), 128.0, band=(8.0, 12.0))
    with pytest.raises(UserError, match=r"wider than 4 Hz.*frequencies from 8 to 12 Hz"):
        band_stop(narrow)

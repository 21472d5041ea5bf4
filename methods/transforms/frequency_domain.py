"""Transforms that act on the spectrum. EEG is (B, C, T), frequencies are in hertz."""

import math
from functools import partial

import torch
from torch import Generator, Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.constants import SizedConstant
from augbench.methods.transforms.parts import Factor, Parts, SumOfParts, times
from augbench.methods.transforms.smooth_dip import SmoothDip
from augbench.methods.transforms.spectrum import hilbert
from augbench.methods.transforms.transform import Transform, draw_signed, draw_uniform, per_sample
from augbench.methods.transforms.trigonometric import cos_and_sin, cos_and_sin_of_shift

NOTCH_STEEPNESS = 16.0  # per hertz: an edge falls from 98 % to 2 % within half a hertz


def ft_surrogate(
    signal: Signal, *, strongest: float = 2 * math.pi, channel_indep: bool = False
) -> Transform:
    """Turn the phase of every frequency by a random angle, uniform between 0 and the magnitude.

    All channels share the angles, which keeps their phase relations, unless ``channel_indep``. The
    mean stays as it is and, in windows of even length, the Nyquist bin.

    Source: Schwabedal et al. 2018; AugNet, Table 4.
    """
    return Transform(
        name="ft_surrogate",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="radians",
        source="Schwabedal et al. 2018; AugNet, Table 4",
        draw=partial(_draw_phases, channel_indep=channel_indep),
        apply=SumOfParts(_turn_phases, strongest),
    )


def _draw_phases(x: Tensor, generator: Generator | None, *, channel_indep: bool) -> Tensor:
    """(B, C, T) -> (B, C or 1, F) in [0, 1): the share of the strongest angle."""
    n_times = x.shape[-1]
    share = draw_uniform(x, generator, x.shape[1] if channel_indep else 1, n_times // 2 + 1)
    step = n_times // 2 if n_times % 2 == 0 else n_times  # from the mean to the Nyquist bin
    share[..., ::step].zero_()
    return share


def _turn_phases(x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    return Parts(response=times(share, cos_and_sin(per_sample(value, x), noise)))


def frequency_shift(signal: Signal, *, strongest: float = 5.0) -> Transform:
    """Move the spectrum up or down by the same random number of hertz in all channels of a sample.

    Raises a UserError for a signal without a sampling rate.

    Source: Rommel et al. 2022 (CADDA); AugNet, Table 4.
    """
    rate = _sampling_rate(signal, "frequency_shift")
    seconds = SizedConstant(partial(_ticks, spacing=1 / rate))
    radians = SizedConstant(partial(_ticks, spacing=2 * math.pi / rate))
    return Transform(
        name="frequency_shift",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="hertz",
        source="Rommel et al. 2022 (CADDA); AugNet, Table 4",
        draw=draw_signed,
        apply=SumOfParts(partial(_shift_spectrum, seconds=seconds, radians=radians), strongest),
        draws_strength=True,
    )


def _ticks(n_times: int, *, dtype: torch.dtype, spacing: float) -> Tensor:
    return (torch.arange(n_times, dtype=torch.float64) * spacing).to(dtype)


def _shift_spectrum(
    x: Tensor,
    share: Factor,
    value: Tensor,
    noise: Tensor,
    *,
    seconds: SizedConstant,
    radians: SizedConstant,
) -> Parts:
    hertz, n_times = per_sample(value * noise, x), x.shape[-1]
    waves = cos_and_sin_of_shift(hertz, seconds(n_times, x, torch.float64), radians(n_times, x))
    cos, sin = times(share, waves).unbind(0)
    return Parts(gains=(cos,), addends=((sin, hilbert(x, -1)),))


def band_stop(signal: Signal, *, strongest: float = 2.0) -> Transform:
    """Remove a band of random centre; the magnitude is its width between half-gain points.

    The centre keeps a hertz between the widest band and both ends of the spectrum. Where the signal
    says in ``band`` to what it was filtered, the spectrum ends there: a band outside removes
    nothing.

    Raises a UserError for a signal without a sampling rate, or with a spectrum that leaves no room
    for a band.

    Source: Cheng et al. 2020; Mohsenvand et al. 2020; AugNet, Table 4.
    """
    rate = _sampling_rate(signal, "band_stop")
    margin = 1 + strongest / 2
    low, high = max(signal.band[0], 0.0), min(signal.band[1], rate / 2)
    room = high - low - 2 * margin  # hertz, for the centre
    if room <= 0:
        raise UserError(
            f"transform 'band_stop' needs a spectrum wider than {2 * margin:g} Hz and a sampling "
            f"rate above {4 * margin:g} Hz, the signal has {rate:g} Hz and frequencies from "
            f"{low:g} to {high:g} Hz: leave the transform out"
        )

    return Transform(
        name="band_stop",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="hertz",
        source="Cheng et al. 2020; Mohsenvand et al. 2020; AugNet, Table 4",
        draw=partial(_draw_centre, lowest=low + margin, room=room),
        apply=SumOfParts(
            partial(_stop_band, hertz=SizedConstant(partial(_hertz, rate=rate))), strongest
        ),
    )


def _draw_centre(x: Tensor, generator: Generator | None, *, lowest: float, room: float) -> Tensor:
    """(B, ...) -> (B,) in hertz."""
    return lowest + room * draw_uniform(x, generator)


# braindecode designs one of MNE's FIR filters per sample, on the CPU, without a gradient. That
# filter stops the whole width and half a hertz more on either side: it halves the amplitude at
# width / 2 + 0.25 Hz, and a width of nearly 0 still removes half a hertz. Here the gain is a
# smooth function of frequency, halved at width / 2, so that it reaches the identity
# continuously and the width has a gradient. Filters of equal half-gain points leave the same of
# white noise, to 0.2 % of its deviation; to 1.4 % at the ends of 30 s, since the window is
# taken as periodic here and MNE reflects it. braindecode draws the centre for the given width;
# here it is drawn for the widest band, so that it is the same for all magnitudes.
_STOPPED = SmoothDip(before=-0.5, after=0.5)


def _stop_band(
    x: Tensor, share: Factor, value: Tensor, noise: Tensor, *, hertz: SizedConstant
) -> Parts:
    # Minus what is stopped.
    frequencies, centre = hertz(x.shape[-1], x), per_sample(noise, x)
    dip = _STOPPED(frequencies, centre, per_sample(value, x), NOTCH_STEEPNESS)
    return Parts(gains=(share,), spectrum=times(share, dip))


def _hertz(n_times: int, *, dtype: torch.dtype, rate: float) -> Tensor:
    frequencies: Tensor = torch.fft.rfftfreq(n_times, 1 / rate, dtype=dtype)
    return frequencies


def _sampling_rate(signal: Signal, transform: str) -> float:
    if signal.sampling_rate <= 0:
        raise UserError(
            f"transform {transform!r} needs the sampling rate, which the signal lacks: "
            "give it in hertz or leave the transform out"
        )
    return signal.sampling_rate

"""Transforms of the time axis. EEG is (B, C, T)."""

from functools import partial

import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.constants import COUNTING
from augbench.methods.transforms.parts import Factor, Parts, SumOfParts, times
from augbench.methods.transforms.smooth_dip import SmoothDip
from augbench.methods.transforms.transform import Transform, draw_normal, draw_uniform, per_sample
from augbench.methods.transforms.ungraded import ungraded


def time_reverse(signal: Signal) -> Transform:
    """Play the window backwards.

    Source: Mohsenvand et al. 2020; AugNet, Table 4.
    """
    source = "Mohsenvand et al. 2020; AugNet, Table 4"
    return ungraded("time_reverse", partial(torch.flip, dims=(-1,)), source)


# Of the window: 200 samples of 30 s at 128 Hz. Source: AugNet, Table 4 and section 5.2.
LONGEST_MASK = 200 / 3840


def time_mask(signal: Signal, *, strongest: float | None = None) -> Transform:
    """Silence a span of all channels, with smooth edges; its place is uniform in the window.

    Magnitude 1 is ``strongest`` samples, but never more than half the window; by default the share
    of the window that the paper's 200 samples are of its windows, 5.2 %. An edge rises over about
    10 / steepness = T / 100 samples, so that spans much shorter than that never reach 0.

    Source: Cheng et al. 2020; AugNet, Table 4; steepness and place as in braindecode.
    """
    asked = LONGEST_MASK * signal.n_times if strongest is None else strongest
    strongest = min(asked, signal.n_times / 2)
    return Transform(
        name="time_mask",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="samples",
        source="Cheng et al. 2020; AugNet, Table 4",
        draw=draw_uniform,
        apply=SumOfParts(_mask, strongest),
    )


_MASKED = SmoothDip(before=0.0, after=1.0)


def _mask(x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    n_times = x.shape[-1]
    length = per_sample(value, x)
    start = per_sample(noise, x) * (n_times - length)
    # The same curve as braindecode's sum of two falling and rising sigmoids, but exactly 0 at
    # length 0. Minus what is masked.
    dip = _MASKED(COUNTING(n_times, x), start, length, 1000 / n_times)
    return Parts(gains=(share, times(share, dip)))


def gaussian_noise(signal: Signal, *, strongest: float = 0.2) -> Transform:
    """Add white noise; its standard deviation is in the units of x, meant to be standardised.

    Source: Wang et al. 2018; AugNet, Table 4.
    """
    return Transform(
        name="gaussian_noise",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="standard deviation",
        source="Wang et al. 2018; AugNet, Table 4",
        draw=draw_normal,
        apply=SumOfParts(_add_noise, strongest),
    )


def _add_noise(x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    return Parts(gains=(share,), addends=((times(share, per_sample(value, x)), noise),))

"""Transforms of the time axis. EEG is (B, C, T)."""

from functools import partial

import torch
from torch import Tensor

from augbench.datasets.task import Signal
from augbench.methods.transforms.parts import Parts, SumOfParts
from augbench.methods.transforms.transform import (
    Transform,
    draw_normal,
    draw_uniform,
    per_sample,
)
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
        apply=SumOfParts(partial(_mask, strongest=strongest)),
    )


def _mask(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Parts:
    n_times = x.shape[-1]
    steepness = 1000 / n_times  # per sample
    length = strongest * per_sample(magnitude, x)
    start = per_sample(noise, x) * (n_times - length)
    since = torch.arange(n_times, dtype=x.dtype, device=x.device) - start  # (B, 1, T)
    # The same curve as braindecode's sum of two falling and rising sigmoids, but exactly 0 at
    # length 0.
    masked = torch.sigmoid(steepness * since) - torch.sigmoid(steepness * (since - length))
    return Parts(gain=1 - masked)


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
        apply=SumOfParts(partial(_add_noise, strongest=strongest)),
    )


def _add_noise(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Parts:
    return Parts(gain=1.0, addends=((strongest * per_sample(magnitude, x), noise),))

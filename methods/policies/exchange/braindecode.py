"""braindecode's transforms: a Python file with a function that makes one module for EEG."""

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import Tensor

from augbench.methods.policies.exchange import one_of
from augbench.methods.policies.exchange.call_form import Dialect, Row
from augbench.methods.policies.exchange.calls import Name
from augbench.methods.policies.exchange.form import Form, Operate, Operated
from augbench.methods.policies.exchange.golden import EEG
from augbench.methods.policies.exchange.python_file import write_python
from augbench.methods.policies.exchange.shapes import LARGEST, SAME, Unit

SAMPLES = Unit(lambda s: max(1, round(s)), float)
TURNS = Unit(lambda s: s / (2 * math.pi), lambda v: v * 2 * math.pi)
NAMES = {"ordered_ch_names": Name("ch_names")}
RATE = {"sfreq": Name("sfreq")}
# What stands for a name when the golden batch is augmented.
VALUES = {
    "ch_names": list(EEG.channels),
    "sfreq": EEG.sampling_rate,
    "sfreq / 2": EEG.sampling_rate / 2,
}
SPLINE = "its spline loses fine detail there, at 0 degrees too"


def _graded(ours: str, theirs: str, argument: str, unit: Unit = SAME, **more: Any) -> Row:
    """All of them draw more than a strength: a place, a noise, an angle."""
    return Row(ours, f"A.{theirs}", argument, unit, LARGEST, both_sides=False, draws=True, **more)


ROWS = (
    Row("time_reverse", "A.TimeReverse"),
    _graded(
        "time_mask", "SmoothTimeMask", "mask_len_samples", SAMPLES, loses="by whole samples there"
    ),
    _graded("gaussian_noise", "GaussianNoise", "std"),
    _graded("ft_surrogate", "FTSurrogate", "phase_noise_magnitude", TURNS, most=2 * math.pi),
    _graded("frequency_shift", "FrequencyShift", "max_delta_freq", fixed=RATE),
    _graded(
        "band_stop",
        "BandstopFilter",
        "bandwidth",
        fixed={**RATE, "max_freq": Name("sfreq / 2")},
        loses="another filter, which stops half a hertz more and has no gradient; the band may lie "
        "anywhere, whatever the signal was filtered to",
    ),
    Row("sign_flip", "A.SignFlip"),
    Row("channel_symmetry", "A.ChannelsSymmetry", fixed=NAMES),
    _graded("channel_shuffle", "ChannelsShuffle", "p_shuffle", most=1.0),
    _graded("channel_dropout", "ChannelsDropout", "p_drop", most=1.0),
    *(
        _graded(
            f"rotation_{axis}",
            f"Sensors{axis.upper()}Rotation",
            "max_degrees",
            fixed=NAMES,
            loses=SPLINE,
        )
        for axis in "xyz"
    ),
)
BRAINDECODE = Dialect(
    "braindecode",
    ROWS,
    partial(one_of.wrap, probability="probability"),
    partial(one_of.unwrap, probability="probability"),
    ("noise comes from numpy on the CPU there",),
)
HEAD = """
import torch
from braindecode import augmentation as A
from torch import nn

"""
FUNCTION = '''

def make_policy(sfreq, ch_names):
    """The sampling rate in hertz, and the 10-20 names of the channels, in their order."""'''
USE = (
    "`AugmentedDataLoader(dataset, transforms=make_policy(sfreq, ch_names), batch_size=64)`; or\n"
    "`x, y = policy(x, y)` with a batch x (B, C, T) in the unit that it was learned in."
)


def operate() -> Operate:
    """braindecode's operations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        from braindecode import augmentation as library

    return partial(_operation, library)


def _operation(library: Any, name: str, strength: float | None) -> Operated | None:
    for row in ROWS:
        if row.ours == name:
            call = row.at(strength or 0.0)
            arguments = {
                key: VALUES[value] if isinstance(value, Name) else value
                for key, value in call.arguments.items()
            }
            made: Callable[[Tensor], Tensor] = getattr(library, call.short)(
                **arguments, probability=1.0, random_state=0
            )
            return made, not row.draws
    return None


FORM = Form(
    write=partial(write_python, BRAINDECODE, HEAD + one_of.ONE_OF + FUNCTION, "    return ", USE),
    operate=operate,
)

"""Brings EEG of any unit and offset to one scale."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A constant channel still has a deviation of rounding errors, some 1e-16 of its mean. float32 keeps
# 6e-8 of an offset at best, so no signal is taken for flat.
FLAT = 1e-12


def standardise(x: NDArray[Any]) -> NDArray[np.float32]:
    """(N, C, T) -> the same shape: each channel of each window with mean 0 and deviation 1.

    A flat channel becomes 0.
    """
    centred = x.astype(np.float64)
    mean = centred.mean(axis=2, keepdims=True)
    centred -= mean
    # What numpy's `std` computes, to the last bit, without a mean of its own.
    deviation = np.sqrt(np.square(centred).mean(axis=2, keepdims=True))
    flat = deviation <= FLAT * np.abs(mean)
    centred /= np.where(flat, np.inf, deviation)
    return centred.astype(np.float32)

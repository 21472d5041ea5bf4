"""One scale for EEG, whatever unit and offset it was recorded in."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# A constant channel is left with a deviation of rounding errors, some 1e-16 of its mean. float32
# keeps no more than 6e-8 of an offset, so that no signal is taken for flat.
FLAT = 1e-12


def standardise(x: NDArray[Any]) -> NDArray[np.float32]:
    """(N, C, T) -> the same shape: each channel of each window with mean 0 and deviation 1.

    A flat channel becomes 0.
    """
    x = x.astype(np.float64)
    mean = x.mean(axis=2, keepdims=True)
    deviation = x.std(axis=2, keepdims=True)
    flat = deviation <= FLAT * np.abs(mean)
    standard: NDArray[np.float64] = (x - mean) / np.where(flat, np.inf, deviation)
    return standard.astype(np.float32)

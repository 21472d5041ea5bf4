"""The real EEG of DREAMS Spindles as a four-class problem: 8 people, 30 minutes, one channel.

The data stay where they are: their licence (CC BY-NC-ND) lets nobody hand on a part of them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = "sleep/dreams_spindles"
CLASSES = ("W", "N1", "N2", "N3")  # REM is almost absent
BANDS = ((0.5, 4), (4, 8), (8, 12), (12, 16), (16, 24))  # hertz; one recording has 50 Hz
_CLASS = {5: 0, 3: 1, 2: 2, 1: 3, 0: 3}  # of the stages in the files
_PIECES = 6  # of 5 s, of a window


class Window(NamedTuple):
    """30 seconds of one person."""

    microvolts: NDArray[np.float32]  # (30 * rate,)
    rate: int
    label: int  # the class of more than half of its pieces
    person: int
    apart: bool  # one of those that do not overlap


def read_windows(data_root: Path, *, overlapping: bool = False) -> list[Window]:
    """All windows of which more than half has one class; [] where the data are missing.

    One begins after another has ended, or, if they may overlap, every 5 s.
    """
    windows = []
    for person, path in enumerate(sorted((data_root / FOLDER).glob("*.npz"))):
        with np.load(path) as file:
            rate, stages, x = int(file["sampling_rate"]), file["stage_5s"], file["signal_uv"]
        for start in range(0, len(stages) - _PIECES + 1, 1 if overlapping else _PIECES):
            pieces = stages[start : start + _PIECES].tolist()
            counts = np.bincount([_CLASS[p] for p in pieces if p in _CLASS], minlength=4)
            if counts.max() > _PIECES / 2:
                part = x[5 * rate * start : 5 * rate * (start + _PIECES)]
                apart = start % _PIECES == 0
                windows.append(Window(part, rate, int(counts.argmax()), person, apart))
    return windows


def log_band_powers(window: Window) -> NDArray[np.float64]:
    """(5,): the logarithm of each band's power, the mean over pieces of 4 s."""
    n = 4 * window.rate
    x = window.microvolts
    pieces = np.lib.stride_tricks.sliding_window_view(x, n)[:: n // 2]
    pieces = (pieces - pieces.mean(axis=1, keepdims=True)) * np.hanning(n)
    power = (abs(np.fft.rfft(pieces, axis=1)) ** 2).mean(axis=0)
    hertz = np.fft.rfftfreq(n, 1 / window.rate)
    total = power[(hertz >= BANDS[0][0]) & (hertz < BANDS[-1][1])].sum()
    inside = [power[(hertz >= low) & (hertz < high)].sum() for low, high in BANDS]
    powers: NDArray[np.float64] = np.log(np.array(inside) / total)
    return powers


def balanced_accuracy(labels: NDArray[np.int64], found: NDArray[np.int64]) -> float:
    """The mean recall of the classes that the person has."""
    return float(recall_score(labels, found, labels=np.unique(labels), average="macro"))


def logistic_regression(windows: list[Window]) -> list[float]:
    """Balanced accuracy on each person of a model that has seen the others."""
    x = np.stack([log_band_powers(window) for window in windows])
    y = np.array([window.label for window in windows])
    person = np.array([window.person for window in windows])
    scores = []
    for left_out in np.unique(person):
        tested = person == left_out
        model = make_pipeline(
            StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000)
        )
        found = model.fit(x[~tested], y[~tested]).predict(x[tested])
        scores.append(balanced_accuracy(y[tested], found))
    return scores

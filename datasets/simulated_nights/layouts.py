"""The layouts of the real data sets: how files are called, what they hold, how pages are written.

Source: shared/reference/SLEEP.md, with what the owners of MASS and Sleep-EDF hand out.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from augbench.datasets.simulated_nights.edf import Annotation
from augbench.datasets.simulated_nights.head import Derivation
from augbench.datasets.simulated_nights.hypnograms import UNKNOWN
from augbench.datasets.sleep_stages import PAGE_SECONDS

_CLE: Derivation = {"A1": -0.5, "A2": -0.5}  # computed linked ears
_BEYOND = 6900  # seconds for which a hypnogram of Sleep-EDF goes on after the end of the signals


class Timing(NamedTuple):
    """When the pages begin, in seconds; all is 0 where signals and pages begin together."""

    lag: int = 0  # from the start of the signals' file to the start of the annotations' file
    onset: float = 0.0  # from there to the first page

    @property
    def lead(self) -> float:
        """From the first sample to the first page; it falls on a sample."""
        return self.lag + self.onset


class Layout(NamedTuple):
    """A layout of files."""

    rate: int  # samples a second
    record_seconds: int
    channels: dict[str, Derivation]
    muscle: str | None  # the name of the chin's channel, one sample a second, where there is one
    most_subjects: int
    nights_each: int  # at most, of a subject
    names: Callable[[int, int], tuple[str, str]]  # subject and night from 0 on -> signals, stages
    draw_timing: Callable[[np.random.Generator], Timing]
    annotations: Callable[[str, float], Iterator[Annotation]]  # hypnogram, onset -> its pages


def _mass_names(subject: int, night: int) -> tuple[str, str]:
    number = f"01-03-{subject + 1:04d}"
    return f"{number} PSG.edf", f"{number} Base.edf"


def _mass_timing(draw: np.random.Generator) -> Timing:
    return Timing(int(draw.integers(10)), int(draw.integers(30 * 256)) / 256)


def _mass_annotations(hypnogram: str, onset: float) -> Iterator[Annotation]:
    """One for each page; stages 3 and 4 are 3."""
    for page, stage in enumerate(hypnogram.replace("4", "3")):
        yield Annotation(onset + PAGE_SECONDS * page, PAGE_SECONDS, f"Sleep stage {stage}")


def _sleep_edf_names(subject: int, night: int) -> tuple[str, str]:
    """The seventh letter names the recorder, the eighth the scorer; both vary over subjects."""
    recorder, scorer = "EFG"[subject % 3], "CAJHPVM"[subject % 7]
    number = f"SC4{subject:02d}{night + 1}{recorder}"
    return f"{number}0-PSG.edf", f"{number}{scorer}-Hypnogram.edf"


def _sleep_edf_annotations(hypnogram: str, onset: float) -> Iterator[Annotation]:
    """One for each run of pages of a stage; the last one has none and goes on after the signals."""
    for stage, run in groupby(hypnogram):
        seconds = PAGE_SECONDS * len(list(run))
        yield Annotation(onset, seconds, f"Sleep stage {stage}")
        onset += seconds
    yield Annotation(onset, _BEYOND, f"Sleep stage {UNKNOWN}")


LAYOUTS: dict[str, Layout] = {
    "mass": Layout(
        rate=256,
        record_seconds=1,
        channels={
            **{f"EEG {name}-CLE": {name: 1.0, **_CLE} for name in ("C3", "C4", "F3", "F4")},
            **{f"EEG {name}-CLE": {name: 1.0, **_CLE} for name in ("O1", "O2")},
            "EEG A2-CLE": {"A2": 0.5, "A1": -0.5},
            "EOG Left Horiz": {"AF9": 1.0, **_CLE},
            "EOG Right Horiz": {"AF10": 1.0, **_CLE},
        },
        muscle=None,
        most_subjects=9999,
        nights_each=1,
        names=_mass_names,
        draw_timing=_mass_timing,
        annotations=_mass_annotations,
    ),
    "sleep-edf": Layout(
        rate=100,
        record_seconds=30,
        channels={
            "EEG Fpz-Cz": {"FPZ": 1.0, "CZ": -1.0},
            "EEG Pz-Oz": {"PZ": 1.0, "OZ": -1.0},
            "EOG horizontal": {"AF9": 1.0, "AF10": -1.0},
        },
        muscle="EMG submental",
        most_subjects=100,
        nights_each=2,
        names=_sleep_edf_names,
        draw_timing=lambda draw: Timing(),
        annotations=_sleep_edf_annotations,
    ),
}

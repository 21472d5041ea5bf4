"""Nights of noise with a rhythm for each stage, in the layouts of Sleep-EDF and MASS."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edf_files import START, Note, write_edf

HERTZ = {"W": 9.0, "1": 5.0, "2": 7.0, "3": 2.0, "4": 1.0, "R": 3.0, "?": 8.0}
SLEEP_EDF = ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal")
MASS = ("C3", "C4", "F3", "F4", "O1", "O2")
STAGES = "WW12233R2341RW2WW"


def notes_of(pages: Sequence[str], seconds: float = 30.0, *, merged: bool) -> list[Note]:
    """Annotations of pages; ``merged`` as Sleep-EDF has them, one for all pages of a stage."""
    notes: list[Note] = []
    for i, page in enumerate(pages):
        text = f"Sleep stage {page}"
        if merged and notes and notes[-1][2] == text:
            onset, length, _ = notes[-1]
            notes[-1] = (onset, length + seconds, text)
        else:
            notes.append((i * seconds, seconds, text))
    return notes


def signal_of(
    pages: Sequence[str], rate: float, seed: int, seconds: float = 30.0
) -> NDArray[np.float64]:
    """(T,) microvolts: noise, and a wave whose frequency tells the stage of the page."""
    random = np.random.default_rng(seed)
    times = np.arange(round(seconds * rate)) / rate
    waves = [np.sin(2 * np.pi * (HERTZ[p] * times + random.random())) for p in pages]
    return 20 * np.concatenate(waves) + 5 * random.normal(size=len(waves) * len(times))


def write_sleep_edf(
    folder: Path, night: str, pages: Sequence[str] = STAGES, rate: float = 20.0, **odd: object
) -> Path:
    """A night, such as SC4001E0, whose hypnogram goes on after the recording, as real ones do."""
    seed = int(night[3:6])
    names = enumerate(SLEEP_EDF)
    signals = {name: signal_of(pages, rate, 10 * seed + k) for k, name in names}
    notes = [*notes_of(pages, merged=True), (30.0 * len(pages), 6900.0, "Sleep stage ?")]
    write_edf(folder / f"{night[:7]}C-Hypnogram.edf", {}, notes=notes)
    return write_edf(folder / f"{night}-PSG.edf", signals, rate, record_seconds=30, **odd)


def write_mass(
    folder: Path,
    number: int,
    pages: Sequence[str] = STAGES,
    rate: float = 20.0,
    *,
    montage: str = "CLE",
    scores: str = "Base",
    later: float = 0.0,
    page_seconds: float = 30.0,
) -> Path:
    """A night whose scores begin ``later`` seconds after the signals; A2 is with CLE alone."""
    names = [f"EEG {name}-{montage}" for name in MASS]
    names += ["EEG A2-CLE"] if montage == "CLE" else []
    kept = [page if page != "4" else "3" for page in pages]
    lead = signal_of("W", rate, number)[: round(later * rate)]
    rest = lead[: round(rate)]  # the writer drops what does not fill a record of a second
    signals = {
        name: np.concatenate([lead, signal_of(kept, rate, 10 * number + k, page_seconds), rest])
        for k, name in enumerate(names)
    }
    start: datetime = START + timedelta(seconds=later)
    night = f"01-03-{number:04d}"
    write_edf(
        folder / f"{night} {scores}.edf",
        {},
        notes=notes_of(kept, page_seconds, merged=False),
        start=start,
    )
    return write_edf(folder / f"{night} PSG.edf", signals, rate)

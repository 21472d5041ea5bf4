"""One simulated night: what is drawn for it, and its two files."""

import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.recording.edf_header import SIMULATED
from augbench.datasets.seeds import Seeds
from augbench.datasets.simulated_nights.edf import (
    Channel,
    Recording,
    signals_bytes,
    write_annotations,
    write_signals,
)
from augbench.datasets.simulated_nights.hypnograms import (
    cut_hypnogram,
    draw_hypnogram,
)
from augbench.datasets.simulated_nights.layouts import Layout, Timing
from augbench.datasets.simulated_nights.rhythms import BLOCK_SECONDS
from augbench.datasets.simulated_nights.signals import Sleeper, draw_sleeper, muscle_tone, signals
from augbench.datasets.simulated_nights.stages import stage_course
from augbench.datasets.sleep_stages import PAGE_SECONDS

_FIRST_DAY = datetime(2001, 1, 1, 22)


class Night(NamedTuple):
    """What is known of a night before its signals are drawn."""

    subject: int  # from 0 on
    number: int  # of the subject's nights, from 0 on
    hypnogram: str
    timing: Timing
    start: datetime  # of the signals
    seeds: Seeds


def draw_night(
    subject: int,
    number: int,
    layout: Layout,
    n_pages: int,
    hypnograms: Sequence[str],
    seeds: Seeds,
) -> Night:
    """The night of a subject; its stages are part of one of the hypnograms, or of a drawn one.

    It depends on ``seeds``, the subject and the number alone, not on how many nights there are.
    """
    own = seeds.child("night", subject, number)
    draw = np.random.default_rng(own.integer("plan"))
    if hypnograms:
        order = np.random.default_rng(seeds.integer("order")).permutation(len(hypnograms))
        place = subject * layout.nights_each + number
        whole = hypnograms[order[place % len(order)]]
    else:
        whole = draw_hypnogram(draw)
    return Night(
        subject,
        number,
        cut_hypnogram(whole, n_pages, draw),
        layout.draw_timing(draw),
        _FIRST_DAY + timedelta(days=2 * subject + number, seconds=int(draw.integers(7200))),
        own,
    )


def write_psg(night: Night, layout: Layout, path: Path, seeds: Seeds) -> None:
    """Write the signals. ``seeds`` are those that the sleeper is drawn from. Raises OSError."""
    draw = np.random.default_rng(seeds.integer("sleeper", night.subject))
    blocks = _blocks(night, layout, draw_sleeper(draw))
    with path.open("wb") as file:
        write_signals(
            file,
            _recording(night, night.start),
            psg_channels(layout),
            layout.record_seconds,
            n_records(night, layout),
            blocks,
        )


def write_hypnogram(night: Night, layout: Layout, path: Path) -> None:
    """Write the stages as annotations. Raises OSError."""
    recording = _recording(night, night.start + timedelta(seconds=night.timing.lag))
    with path.open("wb") as file:
        write_annotations(file, recording, layout.annotations(night.hypnogram, night.timing.onset))


def n_records(night: Night, layout: Layout) -> int:
    """How many records hold all pages."""
    seconds = night.timing.lead + PAGE_SECONDS * len(night.hypnogram)
    return math.ceil(seconds / layout.record_seconds)


def psg_bytes(night: Night, layout: Layout) -> int:
    """The size of the signals' file."""
    return signals_bytes(psg_channels(layout), n_records(night, layout))


def psg_channels(layout: Layout) -> list[Channel]:
    """The channels of the signals' file, as its header describes them."""
    samples = layout.rate * layout.record_seconds
    channels = [Channel(name, samples, transducer=SIMULATED) for name in layout.channels]
    if layout.muscle is not None:
        channels.append(Channel(layout.muscle, layout.record_seconds, transducer=SIMULATED))
    return channels


def _recording(night: Night, start: datetime) -> Recording:
    return Recording(start, f"S{night.subject:04d} X X {SIMULATED}", f"X augbench {SIMULATED}")


def _blocks(night: Night, layout: Layout, sleeper: Sleeper) -> Iterator[list[NDArray[Any]]]:
    """The samples of each channel in a minute after another."""
    draw = np.random.default_rng(night.seeds.integer("stages"))
    classes = stage_course(night.hypnogram, night.timing.lead, draw)
    muscle = muscle_tone(classes, night.seeds)
    channels = [*layout.channels.values()]
    blocks = signals(classes, channels, layout.rate, sleeper, night.seeds)
    for number, block in enumerate(blocks):
        second = np.arange(number * BLOCK_SECONDS, (number + 1) * BLOCK_SECONDS)
        chin = [] if layout.muscle is None else [muscle.take(second, mode="clip")]
        yield [*block, *chin]

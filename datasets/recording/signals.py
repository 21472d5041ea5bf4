"""The signals of a recording: opened by MNE, picked, referenced, filtered, resampled."""

import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.electrodes import EARS, KIND, SEPARATOR, pick_channels
from augbench.datasets.errors import UserError
from augbench.datasets.recording.edf_header import SUFFIXES, read_edf_header
from augbench.datasets.recording.preparation import Preparation

Signal = NDArray[np.float64]

BRAIN = frozenset({"eeg", "mag", "grad", "seeg", "ecog", "dbs"})  # MNE's types of channels
MOST_DENOMINATOR = 1000
SAME_RATE = 1e-9  # share by which a rate may be wrong: below 0.01 samples a night
FILTERED_AT_ONCE = 1 << 18  # samples
MICROVOLTS = 1e6  # MNE has volts


class Recording(NamedTuple):
    """An opened recording, of which no signal has been read yet."""

    raw: Any  # mne.io.BaseRaw
    annotated: Any  # the same with all channels, which holds the annotations
    names: tuple[str, ...]  # of the channels that are asked for, as the file has them
    reference: tuple[str, ...]  # channels whose mean is subtracted; empty for none
    rate: float  # hertz, as recorded
    start: datetime | None  # of the first sample
    is_simulated: bool  # as the file itself says


def open_recording(path: Path, how: Preparation) -> Recording:
    """Read the header, and find the channels that are asked for.

    Raises UserError for a file that MNE cannot read, that is cut off or interrupted, that lacks a
    channel, and whose rate is too low.
    """
    start, is_simulated = None, False
    if path.suffix.lower() in SUFFIXES:
        header = read_edf_header(path)
        start, is_simulated = header.start, header.is_simulated
        if header.interrupted:
            raise UserError(
                f"{path.name} was interrupted (EDF+D with gaps between its records), so its "
                "samples cannot be placed in time: cut it into files without gaps"
            )
        if header.is_cut_off and not how.allow_truncated:
            raise UserError(
                f"{path.name} is cut off: it holds {header.n_whole:,} whole records where its "
                f"header says {header.n_records:,}; get the whole file, or set allow_truncated = "
                "true to use the windows that are whole"
            )
    annotated = open_raw(path)
    names = _names(annotated, how.channels, path)
    reference = _reference(annotated.ch_names, names, how, path)
    raw = annotated
    if path.suffix.lower() in SUFFIXES:
        # MNE brings all channels of a file to the highest rate, so the others are left out. Not in
        # GDF files, of which MNE 1.13 then gives the numbers of other channels.
        needed = list(dict.fromkeys([*names, *reference]))
        # Of equal names MNE makes C3-0 and C3-1.
        raw = open_raw(path, include=needed, exclude_after_unique=True)
    rate = float(raw.info["sfreq"])
    _check_rate(rate, how, path)
    if start is None and raw.info["meas_date"] is not None:
        start = raw.info["meas_date"] + timedelta(seconds=raw.first_time)
    return Recording(raw, annotated, names, reference, rate, start, is_simulated)


def read_channels(recording: Recording, how: Preparation) -> Iterator[Signal]:
    """Each channel as a whole, (T,) in microvolts, one at a time, so that a night fits in memory.

    Raises UserError for what is not a number.
    """
    raw = recording.raw
    common: Signal | None = None
    for name in recording.reference:
        x = _channel(raw, name)
        common = x if common is None else common + x
    if common is not None:
        common = common / len(recording.reference)
    for name in recording.names:
        x = _channel(raw, name)
        if common is not None:
            x -= common
        if not np.isfinite(x).all():
            raise UserError(
                f"channel {name} of {Path(raw.filenames[0]).name} has NaN or infinite values: "
                "leave the recording out or mend it"
            )
        yield resampled(
            filtered(x, recording.rate, how.low, how.high), recording.rate, how.sampling_rate
        )


def filtered(x: Signal, rate: float, low: float, high: float) -> Signal:
    """(T,) -> (T,), through the FIR filter that MNE designs by default.

    MNE's own `filter_data` takes 1.5 s for a channel of a night, this convolution 0.4 s; they agree
    to rounding.
    """
    if not low and not high:
        return x
    from mne.filter import create_filter
    from scipy.signal import oaconvolve

    taps = create_filter(None, rate, low or None, high or None, verbose="ERROR")
    # As MNE does: the signal is turned about its ends, so that it has no jump there.
    edge = min(len(taps) // 2, len(x) - 1)
    padded = np.concatenate(
        [2 * x[0] - x[edge:0:-1], x, 2 * x[-1] - x[-2 : -edge - 2 : -1]] if edge else [x]
    )
    longer = len(taps) // 2 - edge
    if longer:
        padded = np.pad(padded, longer)
    # In blocks, which take little memory and stay in the processor's own.
    starts = range(0, len(x), FILTERED_AT_ONCE)
    reach = FILTERED_AT_ONCE + len(taps) - 1
    blocks = [oaconvolve(padded[i : i + reach], taps, mode="valid") for i in starts]
    return np.concatenate(blocks)


def resampled(x: Signal, rate: float, new_rate: float) -> Signal:
    """(T,) -> (`resampled_length`,), with a filter against aliases; a new rate of 0 keeps it."""
    ratio = _ratio(rate, new_rate)
    if ratio == 1:
        return x
    if ratio is None:
        import mne.filter

        # In the frequency domain, where any ratio is possible; it takes eight times as long.
        slow: Signal = mne.filter.resample(x, up=new_rate, down=rate, npad="auto", verbose="ERROR")
        return slow
    from scipy.signal import resample_poly

    fast: Signal = resample_poly(x, ratio.numerator, ratio.denominator, padtype="line")
    return fast


def resampled_length(n: int, rate: float, new_rate: float) -> int:
    """How many samples become of n."""
    ratio = _ratio(rate, new_rate)
    if ratio is None:
        return round(n * new_rate / rate)
    return -(-n * ratio.numerator // ratio.denominator)


def _ratio(rate: float, new_rate: float) -> Fraction | None:
    """The new rate over the old one if that is a fraction of small numbers; 1 for a rate of 0.

    A fraction that is only near would drift: by a second a night for 256.0164 Hz.
    """
    if not new_rate:
        return Fraction(1)
    near = Fraction(new_rate / rate).limit_denominator(MOST_DENOMINATOR)
    return near if abs(near * rate / new_rate - 1) < SAME_RATE else None


def open_raw(path: Path, **options: Any) -> Any:
    """MNE's reader of a recording, of whichever format; no signal is read yet.

    Raises UserError for what MNE cannot read.
    """
    import mne

    with warnings.catch_warnings():
        # Cut-off files, odd channel types and the like: what matters is checked here.
        warnings.simplefilter("ignore")
        try:
            return mne.io.read_raw(path, preload=False, verbose="ERROR", **options)
        except Exception as error:  # MNE raises many kinds for damaged bytes
            if path.suffix.lower() in SUFFIXES and "encoding" not in options:
                return open_raw(path, **options, encoding="latin1")
            raise UserError(
                f"cannot read {path.name} ({type(error).__name__}: {_first_line(error)}): MNE "
                "reads EDF, BDF, FIF, GDF, BrainVision and EEGLAB; delete a torn file, or name "
                "the recordings with the option files"
            ) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["no message"])[0][:200]


def _names(raw: Any, asked: Sequence[str], path: Path) -> tuple[str, ...]:
    names = list(raw.ch_names)
    if not names:
        raise UserError(
            f"{path.name} has annotations and no signals: name the recordings with the option "
            "files, and files of events with events_files"
        )
    if asked:
        try:
            return tuple(names[i] for i in pick_channels(names, asked))
        except UserError as error:
            raise UserError(f"{path.name}: {error}") from None
    kinds = raw.get_channel_types()
    found = tuple(name for name, kind in zip(names, kinds, strict=True) if kind in BRAIN)
    if not found:
        raise UserError(
            f"{path.name} has no channel of EEG; it has {', '.join(names)}: name those to use with "
            "the option channels"
        )
    return found


def _reference(
    names: Sequence[str], picked: Sequence[str], how: Preparation, path: Path
) -> tuple[str, ...]:
    if not how.reference:
        return ()
    if how.reference == "average":
        return tuple(picked)
    wanted = how.reference.casefold()
    # "EEG A2-CLE" is meant by its whole name, by "A2-CLE", and by "A2".
    spelled = [(name.casefold(), KIND.sub("", name.strip()).casefold()) for name in names]
    for fits in (
        [w == wanted or plain == wanted for w, plain in spelled],
        [SEPARATOR.split(plain)[0] == wanted and wanted.upper() in EARS for _, plain in spelled],
    ):
        if sum(fits) == 1:
            return (names[fits.index(True)],)
    if how.reference_needed:
        raise UserError(
            f"{path.name} has no channel {how.reference!r} for the option reference; it has "
            f"{', '.join(names)}"
        )
    return ()


def _check_rate(rate: float, how: Preparation, path: Path) -> None:
    if how.sampling_rate > rate:
        raise UserError(
            f"{path.name} was recorded at {rate:g} Hz and sampling_rate is {how.sampling_rate:g}: "
            "a signal can only be resampled to fewer samples; lower it or leave the recording out"
        )
    for name, edge in (("low", how.low), ("high", how.high)):
        if edge >= rate / 2:
            raise UserError(
                f"{path.name} was recorded at {rate:g} Hz and {name} is {edge:g}: the edge of a "
                "filter lies below half the rate; lower it or leave the recording out"
            )


def _channel(raw: Any, name: str) -> Signal:
    x: Signal = raw.get_data(picks=[name], verbose="ERROR")[0]
    return x * MICROVOLTS

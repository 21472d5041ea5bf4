"""SSVEP-Exoskeleton: which of three flickering lights does a subject look at, or none?"""

from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from augbench.datasets import banks
from augbench.datasets.cache import Arrays, cached, files_key
from augbench.datasets.errors import UserError, counted
from augbench.datasets.fetch import fetch, read_record
from augbench.datasets.folds import check_options, group_names, grouped, make_fold
from augbench.datasets.options.tasks import SsvepOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.parts import check_training, count_parts
from augbench.datasets.standardise import standardise
from augbench.datasets.task import Fold, Parts, Signal, Task, fingerprint

FOLDER = "ssvep_exo"
BASE_URL = "https://github.com/sylvchev/dataset-ssvep-exoskeleton/raw/faf331c1/"
CHANNELS = ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")  # in the order of the files
CLASS_NAMES = ("rest", "13 Hz", "17 Hz", "21 Hz")
# The -eve.fif files hold one event a trial, at VisualStimulationStart (32779), numbered by its
# label: 1 for Label_00 (33024) up to 4. Mind that Label_02 is 21 Hz and Label_03 is 17 Hz.
LABELS = {1: 0, 2: 1, 3: 3, 4: 2}  # event -> place in CLASS_NAMES
# Left out by the authors for faults of protocol and hardware; the data set's README names them.
EXCLUDED = frozenset(
    {
        (8, "record-[2013.04.06-16.22.32]"),
        (10, "record-[2014.02.26-15.10.48]"),
        (10, "record-[2014.02.26-15.50.09]"),
        (11, "record-[2014.02.24-17.56.37]"),
        (11, "record-[2014.02.24-18.02.40]"),
    }
)
N_TRIALS = 32  # in a session
PREPROCESSING = 2  # raise it when a change of this code changes what is cached


class Session(NamedTuple):
    """One recording."""

    subject: int
    name: str
    recorded: float  # seconds since 1970
    content: str  # digest of the signals
    x: NDArray[np.float32]  # (N, C, T)
    y: NDArray[np.int64]  # (N,)


def ssvep(options: SsvepOptions, data: Path, seed: int) -> Task:
    """Build the task: x (N, 8, 640), standardised windows; no subject is in two parts of a fold.

    Reads ``data/ssvep_exo/subject*/record-*_raw.fif`` and keeps the windows in the cache. Nothing
    is random, so ``seed`` is not used. Raises UserError for impossible options, and for recordings
    that are missing or damaged.
    Source: Kalunga, Chevallier, Barthelemy, Neurocomputing 2016; Zenodo record 2392979 (CC0).
    """
    _check(options)
    files = _files(options, data / FOLDER)
    key = repr(
        (
            PREPROCESSING,
            options.low,
            options.high,
            options.sampling_rate,
            options.seconds,
            files_key([each for file in files for each in (file, events_file(file))]),
        )
    )
    arrays = cached(FOLDER, key, ("x", "y", "subject"), lambda: _preprocess(files, options))
    x, y = torch.from_numpy(arrays["x"]), torch.from_numpy(arrays["y"])
    rows = grouped(y, arrays["subject"], options.n_folds, options.valid_share)

    def parts(k: int) -> Parts:
        return count_parts(y, rows[k], len(CLASS_NAMES), arrays["subject"])

    def fold(k: int) -> Fold:
        check_training(parts(k), CLASS_NAMES, k)
        return make_fold(x, y, rows[k])

    def test_groups(k: int) -> NDArray[np.str_]:
        return group_names(arrays["subject"], rows[k])

    return Task(
        name="ssvep",
        signal=Signal(
            "eeg",
            tuple(x.shape[1:]),
            CHANNELS,
            options.sampling_rate,
            band=(options.low, options.high),
        ),
        class_names=CLASS_NAMES,
        n_folds=options.n_folds,
        fold=fold,
        trunk="eegnet",
        transforms=_transforms(options),
        training=TrainingSettings(
            epochs=40,
            batch_size=8,  # 384 trials to train on: larger batches leave too few steps
            learning_rate=2e-3,
            beta1=0.9,
            patience=15,
        ),
        metric="balanced_accuracy",
        fingerprint=fingerprint(x, y, torch.from_numpy(arrays["subject"])),
        parts=parts,
        test_groups=test_groups,
    )


def _transforms(options: SsvepOptions) -> tuple[str, ...]:
    """All of EEG; without the band-stop where the filter leaves no room for its widest band."""
    room = options.high - options.low > banks.NO_BAND / 2
    return tuple(name for name in banks.EEG if name != "band_stop" or room)


def events_file(recording: Path) -> Path:
    """The file of the events that belong to a recording."""
    return recording.with_name(recording.name.replace("_raw.fif", "-eve.fif"))


def _check(options: SsvepOptions) -> None:
    check_options(options.n_folds, options.valid_share)
    unknown = sorted(set(options.subjects) - set(range(1, 13)))
    if unknown or not options.subjects:
        raise UserError(f"subjects are {list(options.subjects)}; ssvep has subjects 1 to 12")
    if not 0 < options.low < options.high < options.sampling_rate / 2 <= 128:
        raise UserError(
            f"low = {options.low}, high = {options.high}, sampling_rate = {options.sampling_rate}: "
            "the rule is 0 < low < high < sampling_rate / 2, and a sampling_rate of at most 256"
        )
    if not 0 < options.seconds <= 5:
        raise UserError(f"seconds is {options.seconds}; a trial of ssvep lasts 5 seconds")


def fetch_ssvep(data: Path) -> None:
    """Download what ``data/ssvep_exo`` lacks of the public record (70 MB).

    Raises UserError when the network or the disk fails.
    """
    fetch(read_record(FOLDER, BASE_URL), data / FOLDER)


def _files(options: SsvepOptions, folder: Path) -> list[Path]:
    """The recordings of the options, in order."""
    record = read_record(FOLDER, BASE_URL)
    wanted = []
    for name in record.checksums:
        parent, file = name.split("/")
        subject = int(parent.removeprefix("subject"))
        session = file.removesuffix("_raw.fif").removesuffix("-eve.fif")
        kept = options.include_excluded or (subject, session) not in EXCLUDED
        if subject in options.subjects and kept:
            wanted.append(name)
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(wanted)} ssvep files are missing under {folder} (the first is "
            f"{missing[0]}): name the folder that holds {FOLDER} with --data or AUGBENCH_DATA, or "
            "download them with `augbench fetch ssvep` (and the same --data)"
        )
    return [folder / name for name in wanted if name.endswith("_raw.fif")]


def _preprocess(files: list[Path], options: SsvepOptions) -> Arrays:
    """x (N, C, T) float32, y (N,) and subject (N,) int64, in the order of the files."""
    sessions = _drop_copies([_read(file, options) for file in files])
    return {
        "x": np.concatenate([session.x for session in sessions]),
        "y": np.concatenate([session.y for session in sessions]),
        "subject": np.concatenate([np.full(len(s.y), s.subject) for s in sessions]),
    }


def _read(file: Path, options: SsvepOptions) -> Session:
    """One recording: band-passed as a whole, then resampled, cut, and standardised.

    Raises UserError for a damaged file, and for unexpected channels, events or rates.
    """
    import mne  # heavy, and not needed where the cache is filled

    name = f"{file.parent.name}/{file.name}"
    try:
        raw = mne.io.read_raw_fif(file, preload=True, verbose="ERROR")
        events = mne.read_events(events_file(file), verbose="ERROR")
    except Exception as error:  # MNE raises many kinds for damaged bytes
        raise UserError(
            f"cannot read {name} or its events ({type(error).__name__}: {error}): the file seems "
            "torn; delete it and fetch it again"
        ) from error
    if set(CHANNELS) - set(raw.ch_names) or set(events[:, 2]) - set(LABELS):
        raise UserError(
            f"{name} has channels {', '.join(raw.ch_names)} and events "
            f"{sorted(set(events[:, 2].tolist()))}; expected are {', '.join(CHANNELS)} and 1 to 4"
        )
    if len(events) != N_TRIALS:  # MNE reads the first events of a file that is cut off
        raise UserError(
            f"{events_file(file).name} of {file.parent.name} holds "
            f"{counted(len(events), 'event')}; a session has {N_TRIALS} trials: "
            "delete it and fetch it again"
        )
    raw.pick(list(CHANNELS))
    content = sha256(raw.get_data().tobytes()).hexdigest()
    starts = (events[:, 0] - raw.first_samp) / raw.info["sfreq"]  # seconds
    raw.filter(options.low, options.high, verbose="ERROR")
    raw.resample(options.sampling_rate, verbose="ERROR")
    return Session(
        subject=int(file.parent.name.removeprefix("subject")),
        name=name,
        recorded=raw.info["meas_date"].timestamp(),
        content=content,
        x=_windows(raw, starts, options, name),
        y=np.array([LABELS[event] for event in events[:, 2].tolist()]),
    )


def _windows(
    raw: Any, starts: NDArray[np.float64], options: SsvepOptions, name: str
) -> NDArray[np.float32]:
    """(N,) seconds -> (N, C, T), each channel of each window with mean 0 and deviation 1."""
    signals = raw.get_data()  # (C, all samples)
    n_times = round(options.seconds * options.sampling_rate)
    first = np.round(starts * options.sampling_rate).astype(int)
    if first.min() < 0 or first.max() + n_times > signals.shape[1]:
        raise UserError(f"{name} ends before its last trial does: delete it and fetch it again")
    x = np.stack([signals[:, start : start + n_times] for start in first])
    standard = standardise(x)
    if not (np.isfinite(standard).all() and standard.any(axis=2).all()):
        raise UserError(f"{name} has a trial in which a channel is flat or not a number")
    return standard


def _drop_copies(sessions: list[Session]) -> list[Session]:
    """Keep one session of those with equal signals: its subject was recorded again soonest.

    record-[2012.07.11-15.33.08] stands under subjects 3 and 7 with equal signals. It is subject
    3's: eight minutes before it lies a session of subject 3, a week after it the next of subject 7.
    The signals say the same: in 5-45 Hz covariance they differ (affine-invariant distance) by 0.8
    from that session of subject 3, and by 1.4 and 1.6 from the two of subject 7.
    """

    def gap(session: Session) -> float:
        others = [
            abs(other.recorded - session.recorded)
            for other in sessions
            if other.subject == session.subject and other.content != session.content
        ]
        return min(others, default=float("inf"))

    kept: dict[str, Session] = {}
    for session in sessions:
        rival = kept.get(session.content)
        if rival is None or gap(session) < gap(rival):
            kept[session.content] = session
    return [session for session in sessions if kept[session.content] is session]

"""A folder of your own recordings: EDF, BDF, GDF, FIF, BrainVision or EEGLAB files with events."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from augbench.datasets.defaults import fitting_bank, fitting_trunk
from augbench.datasets.errors import UserError, UserNotice, counted
from augbench.datasets.folds import check_options, group_names, grouped, join_splits
from augbench.datasets.options.tasks import Metric, RecordingsOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.parts import check_training, count_parts
from augbench.datasets.recording.folder import find_sources
from augbench.datasets.recording.mapped import join
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recording.prepare import Prepared
from augbench.datasets.recording.prepare_all import prepare_all
from augbench.datasets.task import Fold, Parts, Signal, Split, Task, fingerprint


def recordings(options: RecordingsOptions, data: Path, seed: int) -> Task:
    """Build a task from a folder of recordings: x (N, C, T), windows of the events named.

    MNE reads the files. Each recording is prepared once and kept in the cache; no subject is in two
    parts of a fold. Classes are in the order of their names. Nothing is random, so ``seed`` is not
    used. Raises UserError, one sentence, for any fault of a file, and for impossible options.
    """
    if not options.path:
        raise UserError("task 'recordings' needs the option path: a folder of recordings")
    # Sorted, because suites that differ in the order alone have the same trials.
    names = tuple(sorted(options.events))
    how = Preparation(
        events=_classes(options.events, names),
        window_seconds=options.window_seconds,
        offset_seconds=options.offset_seconds,
        channels=options.channels,
        reference=options.reference,
        low=options.low,
        high=options.high,
        sampling_rate=options.sampling_rate,
        standardise=options.standardise,
        allow_truncated=options.allow_truncated,
    )
    return recordings_task(
        "recordings",
        find_sources(options, data / options.path),
        how,
        names,
        n_folds=options.n_folds,
        valid_share=options.valid_share,
        even="rows",
        metric=options.metric,
    )


def recordings_task(
    name: str,
    sources: Sequence[Source],
    how: Preparation,
    class_names: tuple[str, ...],
    *,
    n_folds: int,
    valid_share: float,
    even: Literal["rows", "groups"],
    metric: Metric = "balanced_accuracy",
) -> Task:
    """Prepare the recordings and build a task of them; for tasks that know their files.

    ``even`` is what the parts of a fold have their shares of: windows or subjects. Raises UserError
    for impossible options, for any fault of a file, and for recordings of different channels or
    rates.
    """
    check_options(n_folds, valid_share)  # before hours of preparation
    _check_preparation(how)
    prepared = prepare_all(sources, how)
    _check_alike(sources, prepared)
    _pass_on_notes(sources, prepared)
    y = torch.from_numpy(np.concatenate([each.y for each in prepared]))
    _check_classes(y, class_names)
    number = np.repeat(np.arange(len(sources)), [len(each.y) for each in prepared])
    subjects = np.array([source.subject for source in sources])[number]
    rows = grouped(y, subjects, n_folds, valid_share, even=even)
    signal = _signal(prepared[0], how)

    def parts(k: int) -> Parts:
        return count_parts(y, rows[k], len(class_names), subjects)

    def fold(k: int) -> Fold:
        check_training(parts(k), class_names, k)
        return join_splits(*(_split(prepared, number, y, part) for part in rows[k]))

    def test_groups(k: int) -> NDArray[np.str_]:
        return group_names(subjects, rows[k])

    digests = [(s.subject, p.digest) for s, p in zip(sources, prepared, strict=True)]
    return Task(
        name=name,
        signal=signal,
        class_names=class_names,
        n_folds=n_folds,
        fold=fold,
        trunk=fitting_trunk(signal),
        transforms=fitting_bank(signal, f"task {name!r}"),
        training=TrainingSettings(),
        metric=metric,
        fingerprint=fingerprint(y, about=repr(digests)),
        parts=parts,
        test_groups=test_groups,
    )


def _signal(first: Prepared, how: Preparation) -> Signal:
    band = (how.low, how.high or float("inf"))
    return Signal("eeg", first.shape, first.channels, first.sampling_rate, band=band)


def _split(
    prepared: Sequence[Prepared], number: NDArray[np.int64], y: torch.Tensor, rows: torch.Tensor
) -> Split:
    """The windows of whole recordings, mapped; ``number`` (N,) says whose each window is."""
    chosen = np.unique(number[rows.numpy()])
    x = join([prepared[i].x for i in chosen], prepared[0].shape)
    return Split(torch.from_numpy(x), y[rows])


def _check_classes(y: torch.Tensor, class_names: Sequence[str]) -> None:
    missing = [repr(name) for k, name in enumerate(class_names) if not (y == k).any()]
    if missing:
        raise UserError(
            f"no recording has a window of class {', '.join(missing)}: correct the texts of "
            "events, or leave the class out"
        )


def _check_preparation(how: Preparation) -> None:
    """Raise UserError for impossible options."""
    if not 0 < how.window_seconds < 86400:
        raise UserError(
            f"window_seconds is {how.window_seconds}; it has to be above 0, and below a day"
        )
    if how.offset_seconds is not None and not isfinite(how.offset_seconds):
        raise UserError(f"offset_seconds is {how.offset_seconds}; it has to be a number of seconds")
    low, high, rate = how.low, how.high, how.sampling_rate
    if not (
        all(isfinite(each) and each >= 0 for each in (low, high, rate))
        and (not high or low < high)
        and (not rate or max(low, high) < rate / 2)
    ):
        raise UserError(
            f"low = {low}, high = {high}, sampling_rate = {rate}: the rule is 0 < low < high < "
            "sampling_rate / 2, where each may be 0 for none"
        )
    if how.wake_minutes is not None and not 0 <= how.wake_minutes < float("inf"):
        raise UserError(f"wake_minutes is {how.wake_minutes}; it has to be 0 or more")


def _classes(events: Mapping[str, str | tuple[str, ...]], names: Sequence[str]) -> dict[str, int]:
    """The number of the class that each text means; capitals make no difference."""
    if len(names) < 2:
        raise UserError(
            f"the option events has {counted(len(names), 'class')}; it needs two at least, such as "
            '{ W = "Sleep stage W", N1 = "Sleep stage 1" }'
        )
    classes: dict[str, int] = {}
    folded: dict[str, int] = {}
    for number, name in enumerate(names):
        texts = events[name]
        for text in (texts,) if isinstance(texts, str) else texts:
            classes[text.strip()] = number
            if folded.setdefault(text.strip().casefold(), number) != number:
                raise UserError(
                    f"the option events gives {text!r} to {name!r} and to another class (capitals "
                    "make no difference): give it to one"
                )
    return classes


def _check_alike(sources: Sequence[Source], prepared: Sequence[Prepared]) -> None:
    """Raise a UserError where recordings differ in what a task can have once."""
    first = prepared[0]
    for source, each in zip(sources, prepared, strict=True):
        for what, option, one, other in (
            ("the channels", "channels", first.channels, each.channels),
            ("the rate", "sampling_rate", first.sampling_rate, each.sampling_rate),
        ):
            if one != other:
                raise UserError(
                    f"{source.name} has {what} {_as_text(other)} where {sources[0].name} has "
                    f"{_as_text(one)}: give the option {option}, or leave one of them out"
                )


def _as_text(value: tuple[str, ...] | float) -> str:
    return ", ".join(value) if isinstance(value, tuple) else f"{value:g} Hz"


def _pass_on_notes(sources: Sequence[Source], prepared: Sequence[Prepared]) -> None:
    """Give a UserNotice for each note, with the number of recordings that have it."""
    notes = Counter(note for each in prepared for note in each.notes)
    for note, n in notes.items():
        first = next(
            s.name for s, each in zip(sources, prepared, strict=True) if note in each.notes
        )
        warnings.warn(
            f"in {n} of {len(sources)} recordings {note} (the first is {first})",
            UserNotice,
            stacklevel=4,
        )

"""What the data sets of whole nights share: two files a night, pages of 30 s, five classes."""

from collections.abc import Sequence
from pathlib import Path
from re import Pattern
from typing import NamedTuple

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import MassOptions, SleepEdfOptions
from augbench.datasets.recording.folder import choose, files_under, pair
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recordings import recordings_task
from augbench.datasets.sleep_stages import CLASS_NAMES, PAGE_SECONDS, STAGES
from augbench.datasets.task import Task


class FileNames(NamedTuple):
    """Regular expressions for what the files of a data set are called."""

    night: Pattern[str]  # how both names begin; group 1 is the subject
    signals: Pattern[str]  # group 1 is what the recording is called in messages
    stages: Pattern[str]


def find_nights(folder: Path, names: FileNames, missing: str) -> list[Source]:
    """The nights in a folder and the folders in it, in the order of their names.

    Raises UserError, ``missing``, where there is none; and where one of the two files of a night is
    missing or is there twice.
    """
    files = files_under(folder) if folder.is_dir() else []
    signals = [file for file in files if names.signals.fullmatch(file.name)]
    stages = [file for file in files if names.stages.fullmatch(file.name)]
    if not signals and not stages:
        raise UserError(missing)

    def part(pattern: Pattern[str], file: Path, group: int) -> str:
        found = pattern.match(file.name)
        assert found, f"{file.name} is no name of this data set"
        return found[group]

    pairs = pair(signals, stages, lambda file: part(names.night, file, 0).upper(), folder)
    return [
        Source(part(names.signals, psg, 1), part(names.night, psg, 1), psg, scored)
        for psg, scored in pairs
    ]


def staging_task(
    name: str,
    options: SleepEdfOptions | MassOptions,
    nights: Sequence[Source],
    *,
    reference: str = "",
    wake_minutes: float | None = None,
) -> Task:
    """The task of the nights that the options ask for, in folds of as many subjects each.

    ``reference`` is a channel that is subtracted where a recording has it; ``wake_minutes`` are
    kept before sleep and after it, by default all. Raises UserError as `recordings_task` does.
    """
    how = Preparation(
        events=STAGES,
        window_seconds=PAGE_SECONDS,
        channels=options.channels,
        reference=reference,
        reference_needed=False,
        low=options.low,
        high=options.high,
        sampling_rate=options.sampling_rate,
        allow_truncated=options.allow_truncated,
        wake_minutes=wake_minutes,
        page_seconds=PAGE_SECONDS,
    )
    n_digits = len(nights[0].subject)
    subjects = [f"{subject:0{n_digits}d}" for subject in options.subjects]
    return recordings_task(
        name,
        choose(nights, subjects, options.nights),
        how,
        CLASS_NAMES,
        n_folds=options.n_folds,
        valid_share=options.valid_share,
        even="groups",
    )

"""MASS, session 3: which sleep stage is it? Six channels of EEG, 62 whole nights."""

import re
from pathlib import Path

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import MassOptions
from augbench.datasets.recording.folder import choose, files_under, pair
from augbench.datasets.recording.preparation import Preparation, Source
from augbench.datasets.recordings import check_preparation, recordings_task
from augbench.datasets.sleep_stages import CLASS_NAMES, STAGES
from augbench.datasets.task import Task

FOLDER = "mass"
SIGNALS = re.compile(r"\d\d-\d\d-\d{4} PSG\.edf", re.IGNORECASE)
# Two hand-outs differ in the name.
SCORES = re.compile(r"\d\d-\d\d-\d{4} (?:Base|Annotations)\.edf", re.IGNORECASE)
N_NIGHT = 10  # characters that name a night, of one subject each
# Computed linked ears. The other montage, LER, has its reference in hardware and stays as it is.
REFERENCE = "A2-CLE"
PAGE_SECONDS = 30.0
HOW_TO_GET = (
    "MASS is handed out on request: ask for session 3 (SS3) at http://ceams-carsm.ca/mass, and put "
    "the files, '01-03-0001 PSG.edf' and '01-03-0001 Base.edf' and so on, into {folder}"
)


def mass(options: MassOptions, data: Path, seed: int) -> Task:
    """Build the task: x (N, 6, 3840), standardised pages of 30 s, in the five classes of the AASM.

    Channels are referenced to A2. Each night is prepared once; no subject is in two parts of a
    fold. Nothing is random, so ``seed`` is not used. Raises UserError for impossible options, and
    for files that are missing or damaged.
    Source: O'Reilly et al., Journal of Sleep Research 2014; AugNet, section 5.2 and appendix A.4.
    """
    return staging_task("mass", options, data / options.path)


def staging_task(name: str, options: MassOptions, folder: Path) -> Task:
    """The task of the nights in a folder that is laid out as MASS."""
    how = Preparation(
        events=STAGES,
        window_seconds=PAGE_SECONDS,
        channels=options.channels,
        reference=REFERENCE,
        reference_needed=False,
        low=options.low,
        high=options.high,
        sampling_rate=options.sampling_rate,
        allow_truncated=options.allow_truncated,
        page_seconds=PAGE_SECONDS,
    )
    check_preparation(how, options.n_folds, options.valid_share)
    subjects = [f"{subject:04d}" for subject in options.subjects]
    return recordings_task(
        name,
        choose(_nights(folder), subjects, options.nights),
        how,
        CLASS_NAMES,
        n_folds=options.n_folds,
        valid_share=options.valid_share,
        even="groups",
    )


def fetch_mass(data: Path) -> None:
    """Say how the data are asked for, in a UserError: they cannot be downloaded."""
    raise UserError(HOW_TO_GET.format(folder=data / FOLDER))


def _nights(folder: Path) -> list[Source]:
    files = files_under(folder) if folder.is_dir() else []
    signals = [file for file in files if SIGNALS.fullmatch(file.name)]
    scores = [file for file in files if SCORES.fullmatch(file.name)]
    if not signals and not scores:
        raise UserError(
            f"there is no night of MASS under {folder}; {HOW_TO_GET.format(folder=folder)}"
        )
    pairs = pair(signals, scores, lambda file: file.name[:N_NIGHT], folder)
    return [Source(psg.name[:N_NIGHT], psg.name[6:N_NIGHT], psg, scored) for psg, scored in pairs]

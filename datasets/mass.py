"""MASS, session 3: which sleep stage is it? Six channels of EEG, 62 whole nights."""

import re
from pathlib import Path

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import MassOptions
from augbench.datasets.sleep_staging import FileNames, find_nights, staging_task
from augbench.datasets.task import Task

FOLDER = "mass"
NAMES = FileNames(
    night=re.compile(r"\d\d-\d\d-(\d{4})"),  # one of each subject
    signals=re.compile(r"(\d\d-\d\d-\d{4}) PSG\.edf", re.IGNORECASE),
    # Two hand-outs differ in the name.
    stages=re.compile(r"\d\d-\d\d-\d{4} (?:Base|Annotations)\.edf", re.IGNORECASE),
)
# Computed linked ears. The other montage, LER, has its reference in hardware and stays as it is.
REFERENCE = "A2-CLE"
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
    return mass_like_task("mass", options, data / options.path)


def mass_like_task(name: str, options: MassOptions, folder: Path) -> Task:
    """The task of the nights in a folder that is laid out as MASS."""
    missing = f"there is no night of MASS under {folder}; {HOW_TO_GET.format(folder=folder)}"
    nights = find_nights(folder, NAMES, missing)
    return staging_task(name, options, nights, reference=REFERENCE)


def fetch_mass(data: Path) -> None:
    """Say how the data are asked for, in a UserError: they cannot be downloaded."""
    raise UserError(HOW_TO_GET.format(folder=data / FOLDER))

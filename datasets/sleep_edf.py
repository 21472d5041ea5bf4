"""Sleep-EDF expanded, the cassette study: which sleep stage is it? Two channels of EEG."""

import re
from fnmatch import fnmatch
from pathlib import Path

from augbench.datasets.errors import UserError
from augbench.datasets.fetch import fetch, read_record
from augbench.datasets.options.tasks import SleepEdfOptions
from augbench.datasets.sleep_staging import FileNames, find_nights, staging_task
from augbench.datasets.task import Task

FOLDER = "sleep_edf"
# The open mirror of the record; the site itself gave 51 KB/s where this gave 31 MB/s.
MIRROR = "https://physionet-open.s3.amazonaws.com/sleep-edfx/1.0.0/sleep-cassette/"
BASE_URL = "https://physionet.org/files/sleep-edfx/1.0.0/sleep-cassette/"
# SC, 4, subject, night, recorder; the last letter of a hypnogram is its scorer.
NAMES = FileNames(
    night=re.compile(r"SC4(\d\d)\d", re.IGNORECASE),
    signals=re.compile(r"(SC4\d\d\d[A-Z]0)-PSG\.edf", re.IGNORECASE),
    stages=re.compile(r"SC4\d\d\d[A-Z]{2}-Hypnogram\.edf", re.IGNORECASE),
)


def sleep_edf(options: SleepEdfOptions, data: Path, seed: int) -> Task:
    """Build the task: x (N, 2, 3000), standardised pages of 30 s, in the five classes of the AASM.

    Stages 3 and 4 are N3, movement and unscored pages are left out, and wake is kept for half an
    hour around sleep. Each night is prepared once; no subject is in two parts of a fold. Nothing is
    random, so ``seed`` is not used. Raises UserError for impossible options, and for files that are
    missing or damaged.
    Source: Kemp et al., IEEE Transactions on Biomedical Engineering 2000; Goldberger et al.,
    Circulation 2000; https://physionet.org/content/sleep-edfx (ODC-By 1.0).
    """
    folder = data / options.path
    missing = (
        f"there is no night of Sleep-EDF (SC4001E0-PSG.edf and the like) under {folder}: name the "
        f"folder that holds {FOLDER} with --data or AUGBENCH_DATA, or download the nights with "
        "`augbench fetch sleep_edf` (and the same --data)"
    )
    nights = find_nights(folder, NAMES, missing)
    return staging_task("sleep_edf", options, nights, wake_minutes=options.wake_minutes)


def fetch_sleep_edf(data: Path, only: str = "") -> None:
    """Download what ``data/sleep_edf`` lacks of the public record: 306 files, some 7 GB.

    ``only`` is what the names are like, with * and ?: ``SC400*`` are both nights of subject 0.
    Raises UserError when the network or the disk fails, and for a pattern that no name has.
    """
    record = read_record(FOLDER, MIRROR, BASE_URL)
    names = [name for name in record.checksums if not only or fnmatch(name, only)]
    if not names:
        raise UserError(
            f"no file of Sleep-EDF has a name like {only!r}; they are like SC4001E0-PSG.edf and "
            "SC4001EC-Hypnogram.edf"
        )
    fetch(record, data / FOLDER, names=names)

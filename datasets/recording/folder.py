"""Finds the recordings in a folder, and the file of events and the subject of each."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path

from augbench.datasets.errors import UserError, listed
from augbench.datasets.options.tasks import RecordingsOptions
from augbench.datasets.recording.events import TABLES
from augbench.datasets.recording.preparation import Source

SUFFIXES = (".edf", ".bdf", ".gdf", ".fif", ".fif.gz", ".vhdr", ".set")
BIDS = r"sub-([A-Za-z0-9]+)"
MOST_FILES = 3  # in a message
MOST_SUBJECTS = 20


def find_sources(options: RecordingsOptions, folder: Path) -> list[Source]:
    """The recordings that the options ask for, in the order of their names.

    Raises UserError for a folder without any, for a recording without its file of events and the
    reverse, for names that do not fit a pattern, and for two files of one night.
    """
    subject_of = _part(options.subject or BIDS, "subject")
    names = _files(folder, options.files, options.events_files)
    pairs: list[tuple[Path, Path | None]]
    if options.events_files:
        night_of = _part(options.night, "night") if options.night else _stem
        pairs = [*pair(names, _matching(folder, options.events_files), night_of, folder)]
    else:
        pairs = [(file, table_beside(file)) for file in names]
    sources = [
        Source(str(file.relative_to(folder)), subject_of(file), file, events)
        for file, events in pairs
    ]
    return choose(sources, options.subjects, options.nights)


def choose(sources: Sequence[Source], subjects: Sequence[str], nights: int) -> list[Source]:
    """Those of some subjects (none: all), and of them the first ``nights`` (0: all).

    Raises UserError for a subject that is not there.
    """
    there = dict.fromkeys(source.subject for source in sources)
    unknown = [subject for subject in subjects if subject not in there]
    if unknown:
        raise UserError(
            f"subjects has {', '.join(unknown)}, of whom there is no recording; there are "
            f"{listed(list(there), MOST_SUBJECTS)}"
        )
    if nights < 0:
        raise UserError(f"nights is {nights}; it has to be 0, for all, or more")
    chosen = [source for source in sources if not subjects or source.subject in subjects]
    return chosen[:nights] if nights else chosen


def pair(
    signals: Sequence[Path],
    events: Sequence[Path],
    night_of: Callable[[Path], str],
    folder: Path,
) -> list[tuple[Path, Path]]:
    """Each recording with the file of its events, by the night that their names give.

    Raises UserError where one of the two is missing or is there twice.
    """
    by_night = []
    for files in (signals, events):
        nights: dict[str, Path] = {}
        for file in files:
            other = nights.setdefault(night_of(file), file)
            if other is not file:
                raise UserError(
                    f"{other.relative_to(folder)} and {file.relative_to(folder)} are two files of "
                    f"one night, {night_of(file)}: leave one in the folder"
                )
        by_night.append(nights)
    recorded, scored = by_night
    for some, others, what in (
        (recorded, scored, "recordings have no file of events"),
        (scored, recorded, "files of events have no recording"),
    ):
        lone = [file.name for night, file in some.items() if night not in others]
        if lone:
            raise UserError(
                f"{len(lone)} of {len(some)} {what} under {folder}: "
                f"{listed(lone, MOST_FILES)}; add the other file of each, or move these away"
            )
    return [(file, scored[night]) for night, file in recorded.items()]


def files_under(folder: Path) -> list[Path]:
    """All files in a folder and the folders in it, by name; a UserError if it is not there.

    Names that begin with a dot are not the user's: macOS writes ``._NAME`` beside files.
    """
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}: the option path is relative to the data folder (--data "
            "or AUGBENCH_DATA)"
        )
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted((f for f in found if not f.name.startswith(".")), key=lambda f: (f.name, f))


def _matching(folder: Path, pattern: str) -> list[Path]:
    return [file for file in files_under(folder) if fnmatch(file.name, pattern)]


def _files(folder: Path, pattern: str, but: str) -> list[Path]:
    """The recordings; ``but`` is the pattern of the files of events."""
    found = files_under(folder)
    kept = [
        file
        for file in found
        if (fnmatch(file.name, pattern) if pattern else file.name.lower().endswith(SUFFIXES))
        and not (but and fnmatch(file.name, but))
    ]
    if not kept:
        kinds = Counter(file.suffix or file.name for file in found).most_common(5)
        there = ", ".join(f"{n} {kind}" for kind, n in kinds) or "no file"
        raise UserError(
            f"there is no recording under {folder}, which holds {there}: files are to be like "
            f"{pattern or ', '.join(SUFFIXES)}"
        )
    return kept


def _stem(file: Path) -> str:
    return file.name.partition(".")[0]


def _part(pattern: str, option: str) -> Callable[[Path], str]:
    """The part of a file's name that a regular expression gives."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"{option} is {pattern!r}, which is no regular expression ({error})"
        ) from error

    def part(file: Path) -> str:
        found = compiled.search(_stem(file))
        if found is None or not (found[0] if not compiled.groups else found[1]):
            raise UserError(
                f"{file.name} does not say its {option} by {pattern!r}: give the option {option}, "
                "a regular expression for the part of the name that does ('^.*' is the whole name)"
            )
        return found[1] if compiled.groups else found[0]

    return part


def table_beside(file: Path) -> Path | None:
    """The .tsv or .csv of events that belongs to a recording, if there is one."""
    stem = _stem(file)
    stems = [stem, f"{stem}_events", f"{stem.rpartition('_')[0]}_events"]
    found = (file.with_name(stem + suffix) for stem in _unique(stems) for suffix in TABLES)
    return next((each for each in found if each.is_file()), None)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))

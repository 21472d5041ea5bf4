"""A folder of simulated nights: night after night, each file whole or not there."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from augbench.datasets.errors import UserError, require, system_error, unknown
from augbench.datasets.recording.edf_header import SIMULATED
from augbench.datasets.seeds import Seeds
from augbench.datasets.simulated_nights.layouts import LAYOUTS, Layout
from augbench.datasets.simulated_nights.night import (
    Night,
    draw_night,
    psg_bytes,
    write_hypnogram,
    write_psg,
)
from augbench.datasets.sleep_stages import PAGE_SECONDS

# Of the simulation: the same version, settings and seed give the same files on one machine; on
# another a sample may differ in its last digit, because processors round sums in their own ways.
VERSION = 1
README = "README.txt"
PART = ".part"  # ends the name of a file that is being written
_TITLE = "Simulated nights of sleep. Nobody slept here: augbench has drawn these signals."
_LONGEST = 24  # hours of a night


@dataclass(frozen=True)
class NightsOptions:
    """Which nights are simulated."""

    layout: str  # a row of LAYOUTS
    nights: int
    subjects: int | None = None  # by default as few as the layout allows
    seed: int = 0
    hours: float = 8.0  # of each night

    def __post_init__(self) -> None:
        """Raises UserError for a number out of range."""
        if self.layout not in LAYOUTS:
            raise unknown("layout", self.layout, LAYOUTS)
        layout = LAYOUTS[self.layout]
        most = layout.most_subjects * layout.nights_each
        rule = f"from 1 to {most}, what layout {self.layout!r} has names for"
        require(self, "nights", 1 <= self.nights <= most, rule)
        require(self, "seed", self.seed >= 0, "0 or more")
        shortest = PAGE_SECONDS / 3600
        rule = f"from {shortest:.4g} (one page of {PAGE_SECONDS} s) to {_LONGEST}"
        require(self, "hours", shortest <= self.hours <= _LONGEST, rule)
        if self.subjects is not None:
            least = -(-self.nights // layout.nights_each)
            rule = (
                f"from {least} to {min(self.nights, layout.most_subjects)}: of {self.nights} "
                f"nights in layout {self.layout!r} a subject has 1 to {layout.nights_each}"
            )
            fits = least <= self.subjects <= min(self.nights, layout.most_subjects)
            require(self, "subjects", fits, rule)

    @property
    def n_pages(self) -> int:
        return int(self.hours * 3600 / PAGE_SECONDS + 1e-9)


def write_nights(folder: Path, options: NightsOptions, hypnograms: Sequence[str]) -> Iterator[str]:
    """Write the nights that the folder lacks, and yield the name of each night's signals.

    ``hypnograms`` are real ones; without any, stages are drawn. The same call goes on where another
    was stopped, and more nights can be asked for later. Raises UserError before anything is written
    if the folder holds something else or other nights, or has no room; later if the disk fails.
    """
    layout = LAYOUTS[options.layout]
    seeds = Seeds(("simulated nights", options.seed))
    nights = [
        draw_night(subject, number, layout, options.n_pages, hypnograms, seeds)
        for subject, number in _subjects(options, layout)
    ]
    try:
        settings = _settings(options, hypnograms)
        _check_folder(
            folder, settings, [name for night in nights for name in _names(night, layout)]
        )
        missing = {night for night in nights if not _is_there(folder, night, layout)}
        _check_room(folder, sum(psg_bytes(night, layout) for night in missing))
        folder.mkdir(parents=True, exist_ok=True)
        with _whole(folder / README) as part:
            part.write_text(_readme(options, settings), encoding="utf-8")
        for night in nights:
            psg, stages = (folder / name for name in _names(night, layout))
            if night in missing:
                with _whole(psg) as part:
                    write_psg(night, layout, part, seeds)
                with _whole(stages) as part:
                    write_hypnogram(night, layout, part)
            yield psg.name
    except OSError as error:
        raise UserError(
            f"cannot write into {folder} ({system_error(error)}): mend that and run the same "
            "command again, it goes on from the nights that are there"
        ) from error


def source_of_stages(hypnograms: Sequence[str]) -> str:
    """Where the stages come from, in words."""
    if not hypnograms:
        return "a Markov chain"
    return f"{len(hypnograms)} real hypnogram{'s' * (len(hypnograms) > 1)}"


def _subjects(options: NightsOptions, layout: Layout) -> Iterator[tuple[int, int]]:
    """Subject and number of each night, from 0 on: by default all nights of one, then the next."""
    for night in range(options.nights):
        if options.subjects is None:
            yield divmod(night, layout.nights_each)
        else:
            yield night % options.subjects, night // options.subjects


def _names(night: Night, layout: Layout) -> tuple[str, str]:
    return layout.names(night.subject, night.number)


def _settings(options: NightsOptions, hypnograms: Sequence[str]) -> str:
    """A line of all that the files of a night depend on."""
    shared = "" if options.subjects is None else f", subjects {options.subjects}"
    return (
        f"layout {options.layout}, seed {options.seed}, hours {options.hours:g}{shared}, "
        f"stages from {source_of_stages(hypnograms)}, version {VERSION}"
    )


def _readme(options: NightsOptions, settings: str) -> str:
    words = f"--layout {options.layout} --nights {options.nights} --seed {options.seed}"
    if options.subjects is not None:
        words += f" --subjects {options.subjects}"
    return (
        f"{_TITLE}\n"
        "They are for rehearsals: nothing about sleep or people can be learned from them.\n\n"
        f"command: augbench simulate-nights FOLDER {words} --hours {options.hours:g}\n"
        f"settings: {settings}\n"
        f"seed: {options.seed}\n"
    )


def _check_folder(folder: Path, settings: str, names: Sequence[str]) -> None:
    """Raise UserError unless the folder is empty, or holds only nights of these settings."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; simulated nights need a folder: name another one")
    advice = "name another folder, or an empty one"
    found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    ours = {README, *names}
    ours |= {f"{name}{PART}" for name in ours}
    for name in found:
        if name not in ours or (name in names and not _is_simulated(folder / name)):
            raise UserError(
                f"{folder} holds {name}, which is none of the {len(names) // 2} simulated nights "
                f"that were asked for: {advice}"
            )
    if not found:
        return
    readme = folder / README
    text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""
    if not text.startswith(_TITLE):
        raise UserError(
            f"{folder} is not empty and has no {README} of simulated nights, so its {found[0]} "
            f"stays as it is: {advice}"
        )
    if f"\nsettings: {settings}\n" not in text:
        before = text.partition("\nsettings: ")[2].partition("\n")[0]
        raise UserError(
            f"{folder} holds nights of other settings ({before}) than were asked for "
            f"({settings}): ask for the same, or {advice}"
        )


def _is_simulated(path: Path) -> bool:
    with path.open("rb") as file:
        return SIMULATED.encode() in file.read(256)


def _is_there(folder: Path, night: Night, layout: Layout) -> bool:
    psg, stages = (folder / name for name in _names(night, layout))
    return stages.is_file() and psg.is_file() and psg.stat().st_size == psg_bytes(night, layout)


def _check_room(folder: Path, n_bytes: int) -> None:
    """Raise UserError rather than fill a disk that others write to as well."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < 1.05 * n_bytes:
        raise UserError(
            f"the nights take {n_bytes / 1e9:.1f} GB and {folder} has {free / 1e9:.1f} GB left: "
            "ask for fewer nights or hours, or name a folder on a larger disk"
        )


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A path to write to; the file gets its name when it is whole."""
    part = path.with_name(f"{path.name}{PART}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)

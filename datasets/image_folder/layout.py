"""The images of a folder with the class and the part of each: by folders, or by a table.

CLASS/*.png                     classes alone
train/CLASS/*.png, test/...     parts; one of them may be flat, with a table of classes
"""

import os
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from augbench.datasets.errors import UserError, UserNotice, counted, listed
from augbench.datasets.image_folder.decode import SUFFIXES
from augbench.datasets.image_folder.labels import TABLES, has_classes, match, read_labels
from augbench.datasets.own_split import PART_WORDS, WORDS

NOT_THE_USERS = ("__MACOSX",)  # what zip on macOS adds


class Labelled(NamedTuple):
    """An image file."""

    file: Path
    label: str
    part: str  # train, valid or test; empty where folds are made
    path: str  # below the folder of its part, with / between names


def find_images(folder: Path, table: Path | None, test_table: Path | None) -> list[Labelled]:
    """All images under a folder, in the order of their paths.

    Raises UserError for a folder that is missing or holds no images, or of which the classes or the
    parts cannot be told.
    """
    files = images_under(folder)
    if not files:
        raise UserError(_nothing(folder))
    if table is not None and test_table is None:
        return _by_table(folder, files, table, "")
    root, files = _unwrapped(folder, files)
    parts = _parts(root, files)
    if not parts:
        if test_table is not None:
            raise UserError(
                f"there is a table of what is tested ({test_table.name}) but no folder test in "
                f"{folder}: give test_path, or leave out test_labels"
            )
        return _labelled(root, files, None, "", ())
    found: list[Labelled] = []
    for part, (place, some) in parts.items():  # train comes first
        known = {each.label for each in found}
        given = {"train": table, "test": test_table}.get(part)
        found += _labelled(place, some, given, part, known)
    return found


def find_part(
    folder: Path, table: Path | None, part: str, known: Collection[str]
) -> list[Labelled]:
    """All images under a folder that is one part; ``known`` are the classes of training."""
    files = images_under(folder)
    if not files:
        raise UserError(_nothing(folder))
    return _labelled(folder, files, table, part, known)


def images_under(folder: Path) -> list[Path]:
    """Image files by their endings, sorted; hidden ones are not the user's."""
    if not folder.is_dir():
        raise UserError(
            f"there is no folder {folder}: paths are relative to the data folder (--data or "
            "AUGBENCH_DATA)"
        )
    return sorted(file for file in _walk(folder) if file.suffix.lower() in SUFFIXES)


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in NOT_THE_USERS)
        if real in seen:  # a link that leads back
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _nothing(folder: Path) -> str:
    kinds = Counter(file.suffix or file.name for file in _walk(folder)).most_common(5)
    there = ", ".join(f"{n} {kind}" for kind, n in kinds) or "no file"
    return (
        f"there is no image under {folder}, which holds {there}: files end in {', '.join(SUFFIXES)}"
    )


def _first(folder: Path, files: list[Path]) -> dict[str, list[Path]]:
    """The files by the first folder that they are in; "" for those right in the folder."""
    found: dict[str, list[Path]] = {}
    for file in files:
        first, slash, _ = file.relative_to(folder).as_posix().partition("/")
        found.setdefault(first if slash else "", []).append(file)
    return found


def _unwrapped(
    folder: Path, files: list[Path], known: Collection[str] = ()
) -> tuple[Path, list[Path]]:
    """Go down as long as all images are in one folder that is no class, such as Images."""
    while True:
        names = list(_first(folder, files))
        if len(names) > 1 or names[0] == "" or names[0] in known:
            return folder, files
        folder = folder / names[0]


def _part_of(name: str) -> str:
    """The part that the name of a folder says, such as Final_Test; empty for none."""
    found = {WORDS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in WORDS}
    return PART_WORDS[found.pop()] if len(found) == 1 else ""


def _parts(root: Path, files: list[Path]) -> dict[str, tuple[Path, list[Path]]]:
    """The folder and the images of each part; empty where folders are classes."""
    by_folder = _first(root, files)
    named = {name: _part_of(name) for name in by_folder}
    exact = {part for name, part in named.items() if name.lower() in WORDS}
    if not all(named.values()):
        if {"train", "test"} <= exact:
            rest = [name or "images" for name, part in named.items() if not part]
            raise UserError(
                f"{root} holds train and test, and beside them {listed(rest)}: move these away, or "
                "name the two folders by the options path and test_path"
            )
        return {}
    found: dict[str, tuple[Path, list[Path]]] = {}
    for name, part in sorted(named.items(), key=lambda item: WORDS[item[1]]):
        if part in found:
            raise UserError(
                f"{root} has two folders of the part {part}, {found[part][0].name} and {name}: "
                "leave one there"
            )
        found[part] = (root / name, by_folder[name])
    for needed in ("train", "test"):
        if needed not in found:
            raise UserError(
                f"{root} holds {listed(list(by_folder))} but no folder {needed}: add it, or name a "
                "folder of classes by the option path"
            )
    return found


def _labelled(
    folder: Path, files: list[Path], table: Path | None, part: str, known: Collection[str]
) -> list[Labelled]:
    """Images by the folders that they are in, or by a table."""
    if table is not None:
        return _by_table(folder, files, table, part)
    folder, files = _unwrapped(folder, files, known)
    by_class = _first(folder, files)
    if "" not in by_class:
        return [
            Labelled(file, name, part, file.relative_to(folder).as_posix())
            for name, some in by_class.items()
            for file in some
        ]
    if len(by_class) > 1:
        raise UserError(
            f"{folder} holds {counted(len(by_class['']), 'image')} beside folders by class, the "
            f"first {by_class[''][0].name}: move them into a folder of their class"
        )
    tables = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in TABLES]
    tables = [file for file in tables if has_classes(file)]
    if len(tables) != 1:
        raise UserError(
            f"the {len(files)} images of {folder} are in no folders by class, and "
            f"{len(tables) or 'no'} tables there name classes: put them into folders, or name a "
            f"table (.csv) by the option {'test_labels' if part == 'test' else 'labels'}"
        )
    return _by_table(folder, files, tables[0], part)


def _by_table(folder: Path, files: list[Path], table: Path, part: str) -> list[Labelled]:
    labels = match(read_labels(table), files, folder, table)
    if len(labels) < len(files):
        lone = [file.name for file in files if file not in labels]
        warnings.warn(
            f"{len(lone)} of {len(files)} images under {folder} are not in {table.name} and are "
            f"left out ({listed(lone, 3)})",
            UserNotice,
            stacklevel=5,
        )
    return [
        Labelled(file, labels[file], part, file.relative_to(folder).as_posix())
        for file in files
        if file in labels
    ]

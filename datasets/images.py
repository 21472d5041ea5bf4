"""A folder of your own images, in folders by class or with a table of classes."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_file import ArrayFile, InMemory, Shaped
from augbench.datasets.arrays import task_of
from augbench.datasets.errors import UserError, counted, listed
from augbench.datasets.image_folder.layout import Labelled, find_images, find_part
from augbench.datasets.image_folder.prepare import (
    files_digest,
    image_blocks,
    one_size,
    read_headers,
)
from augbench.datasets.options.tasks import ArraysOptions, ImagesOptions
from augbench.datasets.task import Task

DIGITS = re.compile(r"\d{1,18}")


def images(options: ImagesOptions, data: Path, seed: int) -> Task:
    """Build a task from a folder of images: x (N, C, H, W) in [0, 1], C = 1 if all are grey.

    Images are read and resized once and kept in the cache. ``seed`` draws the folds.
    Raises UserError, one sentence, for any fault of the folder, its files and tables.
    """
    found = find_labelled(options, data)
    as_arrays = ArraysOptions(
        kind="image",
        class_names=options.class_names,
        metric=options.metric,
        n_folds=options.n_folds,
        valid_share=options.valid_share,
    )
    return task_of(image_arrays(found, options, data), as_arrays, "images", seed, keep=True)


def find_labelled(options: ImagesOptions, data: Path) -> list[Labelled]:
    """The files with their classes and parts."""
    if not options.path:
        raise UserError("task 'images' needs the option path: a folder of images by class")
    folder, table = data / options.path, _table(data, options.labels, "labels")
    test_table = _table(data, options.test_labels, "test_labels")
    if not options.test_path:
        return _named_alike(find_images(folder, table, test_table))
    tested = data / options.test_path
    if tested.resolve() == folder.resolve():
        raise UserError(
            f"path and test_path are both {options.path}: what is tested has to be other images"
        )
    train = find_part(folder, table, "train", ())
    test = find_part(tested, test_table, "test", {each.label for each in train})
    twice = {each.file.resolve() for each in train} & {each.file.resolve() for each in test}
    if twice:
        raise UserError(
            f"path ({options.path}) and test_path ({options.test_path}) share "
            f"{counted(len(twice), 'image')}: name two folders, of which none is in the other"
        )
    return _named_alike([*train, *test])


def image_arrays(found: Sequence[Labelled], options: ImagesOptions, data: Path) -> ArrayFile:
    """x, y, classes and where they are known split and groups, of which x is read when needed."""
    files, folder = [each.file for each in found], data / options.path
    key = files_digest(files)
    headers = read_headers(files, data, key)
    size = one_size(headers, options.size, folder)
    grey = bool(headers[:, 2].all()) if options.grey is None else options.grey
    names = sorted({each.label for each in found}, key=_order)
    number = {name: k for k, name in enumerate(names)}
    arrays: dict[str, NDArray[np.generic]] = {
        "y": np.array([number[each.label] for each in found]),
        "classes": np.array(names),
    }
    if found[0].part:
        arrays["split"] = np.array([each.part for each in found])
    if options.group:
        arrays["groups"] = _groups(found, options.group)
    shape = Shaped((len(files), 1 if grey else 3, *size), np.dtype(np.float32))
    return InMemory(
        folder.name,
        f"{key} {size} {grey}",
        arrays,
        {"x": lambda: image_blocks(files, size, grey=grey, folder=data)},
        {"x": shape},
    )


def _table(data: Path, path: str, option: str) -> Path | None:
    if path and not (data / path).is_file():
        raise UserError(
            f"there is no file {data / path}: the option {option} is relative to the data folder "
            "(--data)"
        )
    return data / path if path else None


def _order(name: str) -> tuple[int, str]:
    """Names that are numbers come in the order of the numbers."""
    return (int(name), name) if DIGITS.fullmatch(name) else (10**18, name)


def _named_alike(found: list[Labelled]) -> list[Labelled]:
    """Classes that are the same number, 7 and 00007, take the name that training has.

    Raises a UserError for a class that training lacks.
    """
    train = {each.label for each in found if each.part in ("", "train")}
    by_number = {int(name): name for name in sorted(train) if DIGITS.fullmatch(name)}
    renamed, unknown = [], []
    for each in found:
        label = each.label
        if label not in train and DIGITS.fullmatch(label):
            label = by_number.get(int(label), label)
        if label not in train:
            unknown.append(f"{label} ({each.file.name})")
        renamed.append(each._replace(label=label))
    if unknown:
        raise UserError(
            f"{counted(len(unknown), 'image')} of classes that training lacks: "
            f"{listed(unknown, 3)}; training has {listed(sorted(train))}: leave "
            "them out or add some to train on"
        )
    return renamed


def _groups(found: Sequence[Labelled], pattern: str) -> NDArray[np.str_]:
    """The group of each image by its path; images that are tested and have none are one group."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(
            f"group is {pattern!r}, which is no regular expression ({error})"
        ) from error
    names = []
    for each in found:
        match = compiled.search(each.path)
        name = "" if match is None else match[1 if compiled.groups else 0] or ""
        if not name and each.part != "test":
            raise UserError(
                f"{each.path} does not say its group by {pattern!r}: the option group is a regular "
                "expression for the part of a path below the folder that says what belongs together"
            )
        names.append(name or "test")
    return np.array(names)

"""Opens the files of the task `arrays`: an .npz or .ts file, and one more of what is tested."""

import warnings
from pathlib import Path

from augbench.datasets.array_fields import check_keys
from augbench.datasets.array_file import ArrayFile
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.joined import join
from augbench.datasets.npz import open_npz
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.ts_files import read_ts


def open_arrays(options: ArraysOptions, data: Path) -> ArrayFile:
    """x, y and whatever else is there, with a split where the files bring one.

    Raises UserError for files that are missing or damaged, and for parts that contradict another.
    """
    if not options.path:
        raise UserError("task 'arrays' needs the option path: an .npz or .ts file with x and y")
    file = _open(data / options.path, "path")
    if options.test_path:
        if (data / options.test_path).resolve() == (data / options.path).resolve():
            raise UserError(
                f"path and test_path are both {options.path}: what is tested has to be other data"
            )
        return join(file, _open(data / options.test_path, "test_path"))
    beside = tested_beside(data / options.path)
    if beside is not None:
        warnings.warn(
            f"{beside.name} lies beside {file.name} and is not used: for the official split, give "
            f'test_path = "{Path(options.path).with_name(beside.name)}"',
            UserNotice,
            stacklevel=4,
        )
    return join(file, None)


def tested_beside(path: Path) -> Path | None:
    """The NAME_TEST.ts that belongs to a NAME_TRAIN.ts, where it is there."""
    stem = path.stem.removesuffix("_TRAIN")
    beside = path.with_name(f"{stem}_TEST{path.suffix}")
    return beside if stem != path.stem and beside.is_file() else None


def _open(path: Path, option: str) -> ArrayFile:
    if not path.is_file():
        raise UserError(
            f"there is no file {path}: the option {option} is relative to the data folder (--data)"
        )
    if path.suffix == ".ts":
        return read_ts(path)
    if path.suffix == ".arff":
        raise UserError(
            f"{path.name} is an .arff file, which is not read: give the .ts file that the archive "
            "holds beside it"
        )
    file = open_npz(path)
    check_keys(file)
    return file

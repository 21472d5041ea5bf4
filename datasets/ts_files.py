"""Reads .ts files, the text format of the UEA and UCR archives: series of several dimensions.

A file begins with comments (#) and with a head of lines such as ``@equalLength true``. After
``@data`` each line is an example: its dimensions, separated by colons, of values that are separated
by commas; the last field is the class.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_file import ArrayFile, InMemory
from augbench.datasets.blocks import Blocks
from augbench.datasets.cache import cached, files_key
from augbench.datasets.errors import UserError, counted, system_error

VERSION = 1  # raise it when a change of this code changes what is read
LONGEST_HEAD = 10_000  # lines of comments and of the head
ADVICE = "is it a whole .ts file of the UEA archive?"


class _Line(NamedTuple):
    """A line of the data, and where it stands."""

    fields: list[str]
    where: str


def read_ts(path: Path) -> ArrayFile:
    """x (N, C, T) and y (N,) of a file; missing values (?) become NaN.

    The text is read once, and the arrays are kept in the cache.
    Raises UserError for a file that is no .ts file or cut off, for series of different lengths, for
    time stamps, and for targets that are no classes.
    """
    key = repr((VERSION, str(path.resolve()), files_key([path])))

    def build() -> Mapping[str, NDArray[np.generic] | Blocks]:
        return _read(path)

    stored = cached("ts", key, ("x", "y"), build)
    y = stored["y"]
    if all(re.fullmatch(r"-?\d{1,18}", label) for label in set(y.tolist())):
        y = y.astype(np.int64)  # so that 10 comes after 2
    return InMemory(path.name, key, {"x": stored["x"], "y": y})


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    lines = _data_lines(path)
    examples, labels = [], []
    shape: tuple[int, int] | None = None
    for line in lines:
        *dimensions, label = line.fields
        example = _example(dimensions, line.where)
        if shape is not None and example.shape != shape:
            raise UserError(
                f"{line.where} has {_sizes(example.shape)} where the first example has "
                f"{_sizes(shape)}: a task needs examples of one size, so cut them or leave some out"
            )
        shape = example.shape
        examples.append(example)
        labels.append(label)
    if not examples:
        raise UserError(f"{path.name} holds no example after @data: {ADVICE}")
    return {"x": np.stack(examples), "y": np.array(labels)}


def _sizes(shape: tuple[int, ...]) -> str:
    return f"{counted(shape[0], 'dimension')} of {counted(shape[1], 'value')}"


def _data_lines(path: Path) -> Iterator[_Line]:
    """The lines after @data; a UserError for a head that says what cannot be used."""
    head: dict[str, str] = {}
    in_data = False
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, text in enumerate(file, 1):
                line = text.strip()
                if not line or line.startswith("#"):
                    continue
                if in_data:
                    yield _Line(_fields(line, path, number), f"line {number} of {path.name}")
                elif line.lower().startswith("@data"):
                    in_data = True
                    _check_head(head, path)
                elif line.startswith("@") and number <= LONGEST_HEAD:
                    word, _, value = line[1:].partition(" ")
                    head[word.lower()] = value.strip().lower()
                else:
                    raise UserError(f"{path.name} has no @data before line {number}: {ADVICE}")
    except UnicodeDecodeError as error:
        raise UserError(f"{path.name} is no text ({error.reason}): {ADVICE}") from error
    except OSError as error:
        raise UserError(f"cannot read {path} ({system_error(error)})") from error
    if not in_data:
        raise UserError(f"{path.name} has no line @data: {ADVICE}")


def _check_head(head: dict[str, str], path: Path) -> None:
    if head.get("timestamps", "false").startswith("true"):
        raise UserError(
            f"{path.name} has time stamps (@timeStamps true), which are not read: write it with "
            "values alone, at one rate"
        )
    if "targetlabel" in head or head.get("classlabel", "true").startswith("false"):
        raise UserError(
            f"{path.name} has no classes (its head says @classLabel false or @targetLabel): a task "
            "needs a class for each example"
        )


def _fields(line: str, path: Path, number: int) -> list[str]:
    fields = [field.strip() for field in line.split(":")]
    if len(fields) < 2 or not all(fields):
        raise UserError(
            f"line {number} of {path.name} is cut off or is no example; an example is its "
            f"dimensions and its class, separated by colons: {ADVICE}"
        )
    return fields


def _example(dimensions: list[str], where: str) -> NDArray[np.float32]:
    """(C, T)."""
    found = []
    for number, text in enumerate(dimensions, 1):
        try:
            values = np.array(text.replace("?", "nan").split(","), dtype=np.float64)
        except ValueError as error:
            raise UserError(
                f"{where} has a dimension, number {number}, that is not numbers separated by "
                f"commas ({str(error)[:80]})"
            ) from None
        found.append(values.astype(np.float32))
    lengths = {len(values) for values in found}
    if len(lengths) > 1:
        raise UserError(
            f"{where} has dimensions of {min(lengths)} to {max(lengths)} values: a task needs one "
            "length, so cut them or leave some out"
        )
    return np.stack(found)

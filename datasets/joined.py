"""Examples that stand apart for training, validation and test, read as one file with a split."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from augbench.datasets.array_fields import LABELS, PARTED, decoded
from augbench.datasets.array_file import ArrayFile, Described, Shaped
from augbench.datasets.blocks import Blocks
from augbench.datasets.errors import UserError, listed

KINDS = {"f": "real numbers", "i": "whole numbers", "u": "whole numbers", "U": "text", "S": "text"}


class Part(NamedTuple):
    """Where the examples of a part stand."""

    word: str  # train, valid or test
    file: ArrayFile
    suffix: str = ""  # of its arrays: x_test has "_test"

    def called(self, name: str) -> str:
        """An array as messages call it."""
        return f"{name}{self.suffix} in {self.file.name}"

    def has(self, name: str) -> bool:
        return name + self.suffix in self.file.members

    def describe(self, name: str) -> Described:
        return self.file.members[name + self.suffix]


@dataclass(frozen=True)
class Joined:
    """An `ArrayFile` of all parts, with an array split; what is not of examples is the first's."""

    parts: tuple[Part, ...]
    arrays: Mapping[str, NDArray[Any]]  # y, split and groups

    @property
    def name(self) -> str:
        return " and ".join(dict.fromkeys(part.file.name for part in self.parts))

    @property
    def key(self) -> str:
        return repr([(part.word, part.suffix, part.file.key) for part in self.parts])

    @property
    def members(self) -> Mapping[str, Described]:
        found = [part.describe("x") for part in self.parts]
        n = sum(each.shape[0] for each in found)
        x = Shaped((n, *found[0].shape[1:]), np.result_type(*(each.dtype for each in found)))
        rest = {k: v for k, v in self.parts[0].file.members.items() if k not in PARTED}
        return {**rest, **self.arrays, "x": x}

    def read(self, name: str) -> NDArray[Any]:
        return self.arrays[name] if name in self.arrays else self.parts[0].file.read(name)

    def blocks(self, name: str) -> Blocks:
        assert name == "x"

        def all_blocks() -> Iterator[NDArray[Any]]:
            for part in self.parts:
                yield from part.file.blocks(name + part.suffix).blocks

        found = self.members[name]
        return Blocks(found.shape, found.dtype, all_blocks())


def join(file: ArrayFile, test: ArrayFile | None) -> ArrayFile:
    """The file, or where it has x_test or a second file holds what is tested, all parts as one.

    Raises UserError where the parts contradict each other or another split, or where the test has
    labels that training lacks.
    """
    others = [Part(word, file, f"_{word}") for word in ("valid", "test")]
    found = [part for part in others if any(part.has(name) for name in ("x", "y", "groups"))]
    if test is not None:
        _check_test_file(file, test, found)
        found.append(Part("test", test))
    if not found:
        return file
    parts = (Part("train", file), *found)
    _check_split(file, parts)
    for part in found:
        _check_part(parts[0], part)
    y = [_read_labels(part) for part in parts]
    for part, labels in zip(found, y[1:], strict=True):
        _check_labels(parts[0], part, y[0], labels)
    arrays = {
        "y": np.concatenate(y),
        "split": np.repeat([part.word for part in parts], [len(labels) for labels in y]),
    }
    if any(part.has("groups") for part in parts):
        arrays["groups"] = np.concatenate([_read_groups(part, parts) for part in parts])
    return Joined(parts, arrays)


def _check_test_file(file: ArrayFile, test: ArrayFile, found: list[Part]) -> None:
    own = [name for name in test.members if name in (*PARTED, "split", "fold")]
    if own:
        raise UserError(
            f"{test.name} holds {listed(own)}, but all of it is tested: leave these out, or leave "
            "out test_path"
        )
    if any(part.word == "test" for part in found):
        raise UserError(
            f"{file.name} holds x_test or y_test, and test_path names {test.name}: give one of them"
        )
    for name in ("channels", "classes", "sampling_rate"):
        if name in file.members and name in test.members:
            one, other = (_content(each, name) for each in (file, test))
            if one != other:
                raise UserError(
                    f"{name} in {test.name} is {other} where {file.name} has {one}: "
                    "give both the same"
                )


def _content(file: ArrayFile, name: str) -> str:
    """What an array holds, as text."""
    return listed([str(each) for each in np.ravel(decoded(file.read(name), name, file.name))])


def _check_split(file: ArrayFile, parts: tuple[Part, ...]) -> None:
    tested = next((part for part in parts if part.word == "test"), None)
    if tested is None:
        raise UserError(
            f"{file.name} holds {listed([n for n in file.members if n.endswith('_valid')])} but no "
            "x_test and y_test: give what is tested, too, or say the part of each row of x in split"
        )
    for name in ("split", "fold"):
        if name in file.members:
            where = "x_test" if tested.suffix else f"the file {tested.file.name} of test_path"
            raise UserError(
                f"{file.name} holds {name}, and {where} says which rows are tested, too: give one "
                "of them"
            )


def _check_part(train: Part, part: Part) -> None:
    """Raise a UserError for arrays that are missing, or unlike those of training."""
    for name in ("x", "y"):
        if not part.has(name):
            raise UserError(
                f"{part.file.name} holds "
                f"{listed([n for n in part.file.members if n.endswith(part.suffix)])} but no "
                f"{name}{part.suffix}: give x{part.suffix} and y{part.suffix}"
            )
    x, other = train.describe("x"), part.describe("x")
    if len(other.shape) != len(x.shape) or other.shape[1:] != x.shape[1:]:
        raise UserError(
            f"{part.called('x')} has shape {other.shape} where x has {x.shape}: all but the first "
            "number must be equal"
        )
    if not other.shape[0]:
        raise UserError(f"{part.called('x')} has shape {other.shape}: there is nothing in it")
    for name in ("x", "y"):
        one, two = train.describe(name).dtype, part.describe(name).dtype
        if KINDS.get(one.kind, one.kind) != KINDS.get(two.kind, two.kind):
            raise UserError(
                f"{part.called(name)} is of type {two} where {name} is of type {one}: give both "
                "in one type and one scale"
            )


def _read_labels(part: Part) -> NDArray[Any]:
    labels = _read_rows(part, "y", LABELS, "labels must be integers or text")
    return labels.astype(np.int64) if labels.dtype.kind in "iu" else labels


def _read_groups(part: Part, parts: tuple[Part, ...]) -> NDArray[Any]:
    if not part.has("groups"):
        other = next(each for each in parts if each.has("groups"))
        raise UserError(
            f"there is {other.called('groups')} but no {part.called('groups')}: give one for each "
            "part, in which one name for all examples is enough"
        )
    groups = _read_rows(part, "groups", "iubfUS", "groups must be numbers or text")
    kinds = {each.describe("groups").dtype.kind for each in parts if each.has("groups")}
    return groups if len(kinds) == 1 else groups.astype(np.str_)


def _read_rows(part: Part, name: str, kinds: str, rule: str) -> NDArray[Any]:
    n, member = part.describe("x").shape[:1], part.describe(name)
    if member.shape != n:
        raise UserError(
            f"{part.called(name)} has shape {member.shape} where x{part.suffix} has {n[0]} "
            f"examples: give one for each"
        )
    if member.dtype.kind not in kinds:
        raise UserError(f"{part.called(name)} is of type {member.dtype}; {rule}")
    return decoded(part.file.read(name + part.suffix), name, part.file.name)


def _check_labels(train: Part, part: Part, known: NDArray[Any], labels: NDArray[Any]) -> None:
    unknown = sorted(set(labels.tolist()) - set(known.tolist()))
    if unknown:
        raise UserError(
            f"{part.called('y')} has {listed([str(each) for each in unknown])}, which "
            f"{train.called('y')} lacks: a class needs examples to train on, so leave these out or "
            "add some"
        )

"""A split that an .npz brings along: the part of each row, or the fold in which it is tested."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from augbench.datasets.array_fields import Groups, decoded
from augbench.datasets.array_file import ArrayFile
from augbench.datasets.errors import UserError, UserNotice, counted, listed
from augbench.datasets.folds import Rows, hold_out
from augbench.datasets.groups import choose_share, count_rows
from augbench.datasets.seeds import Seeds

TRAIN, VALID, TEST = range(3)
WORDS = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("valid", "validation", "val", "dev"), VALID),
    **dict.fromkeys(("test", "testing"), TEST),
}
PART_WORDS = ("train", "valid", "test")
NAMES = ("training", "validation", "test")


def read_own_split(file: ArrayFile, n: int) -> NDArray[np.int64] | None:
    """(F, N): the part of each row in each fold, `TRAIN`, `VALID` or `TEST`; None without a split.

    ``split`` (N,) is text (train, valid, test), or numbers: 0 train and 1 test, or 0 train, 1 valid
    and 2 test. ``fold`` (N,) is the fold in which a row is tested, numbers or text.
    Raises UserError for any other content, and for a split without a training or a test row.
    """
    found = [name for name in ("split", "fold") if name in file.members]
    if not found:
        return None
    where = file.name
    if len(found) > 1:
        raise UserError(
            f"{where} holds split and fold, and both say which rows are tested: leave one out"
        )
    (name,) = found
    member = file.members[name]
    if member.shape != (n,):
        raise UserError(
            f"{name} in {where} has shape {member.shape} where x has {counted(n, 'example')}: "
            "give one for each"
        )
    if member.dtype.kind not in "iubUS":
        raise UserError(f"{name} in {where} is of type {member.dtype}; it must be integers or text")
    values = decoded(file.read(name), name, where)
    return _by_fold(values, where) if name == "fold" else _by_part(values, where)


def _by_fold(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    names, number = np.unique(values, return_inverse=True)
    if len(names) < 2:
        raise UserError(f"fold in {where} is {names[0]} everywhere: there is nothing to train on")
    return np.where(number == np.arange(len(names))[:, None], TEST, TRAIN)


def _by_part(values: NDArray[Any], where: str) -> NDArray[np.int64]:
    names, number = np.unique(values, return_inverse=True)
    if values.dtype.kind == "U":
        plain = [str(name).strip().lower() for name in names]
        wrong = [name for name in plain if name not in WORDS]
        parts = [WORDS.get(name, -1) for name in plain]
    else:
        known = {0: TRAIN, 1: VALID, 2: TEST} if len(names) == 3 else {0: TRAIN, 1: TEST}
        wrong = [str(name) for name in names if int(name) not in known]
        parts = [known.get(int(name), -1) for name in names]
    if wrong:
        raise UserError(
            f"split in {where} holds {listed(wrong)}; give train, valid and test, or numbers: 0 "
            "train and 1 test, or 0 train, 1 valid and 2 test"
        )
    part = np.array(parts, dtype=np.int64)[number][None]
    for needed in (TRAIN, TEST):
        if not (part == needed).any():
            raise UserError(f"split in {where} has no {NAMES[needed]} row")
    return part


def own_rows(
    parts: NDArray[np.int64],
    y: torch.Tensor,
    class_names: tuple[str, ...],
    groups: Groups | None,
    valid_share: float,
    seeds: Seeds,
    where: str,
) -> list[Rows]:
    """The rows of each fold; where none are for validation, a share of those to train on is.

    These are whole groups where there are groups, else rows of each class. A UserNotice says that
    a group stands in training and test.
    """
    if groups is not None:
        _notice_torn(parts, groups, where)
    folds = []
    for k, part in enumerate(parts):
        train, valid, test = (torch.from_numpy(np.flatnonzero(part == p)) for p in range(3))
        if not len(valid):
            train, valid = _held_out(
                train, y, class_names, groups, valid_share, seeds.child("fold", k)
            )
        folds.append(Rows(train, valid, test))
    return folds


def _held_out(
    rows: torch.Tensor,
    y: torch.Tensor,
    class_names: tuple[str, ...],
    groups: Groups | None,
    share: float,
    seeds: Seeds,
) -> tuple[torch.Tensor, torch.Tensor]:
    if groups is None:
        kept, held = hold_out(y[rows], share, seeds, class_names)
        return rows[kept], rows[held]
    names, number = np.unique(groups.number[rows.numpy()], return_inverse=True)
    if len(names) < 2:
        raise UserError(
            "the training rows are of one group: give validation rows in split, or leave groups out"
        )
    labels = np.unique(y[rows].numpy(), return_inverse=True)[1]
    chosen = torch.from_numpy(choose_share(count_rows(labels, number), share, 0)[number])
    return rows[~chosen], rows[chosen]


def _notice_torn(parts: NDArray[np.int64], groups: Groups, where: str) -> None:
    torn: set[str] = set()
    for part in parts:
        train, test = (set(groups.number[part == p].tolist()) for p in (TRAIN, TEST))
        torn |= {groups.names[number] for number in train & test}
    if torn:
        warnings.warn(
            f"the split in {where} has rows of {len(torn)} of {len(groups.names)} groups in "
            f"training and in test ({listed(sorted(torn), 3)}): a model may know them by heart",
            UserNotice,
            stacklevel=4,
        )

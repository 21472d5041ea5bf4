"""How rows are divided into folds: stratified by class, or by whole groups."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augbench.datasets.errors import UserError, counted
from augbench.datasets.groups import choose_share, count_rows, even_bins
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Fold, Split, Views


class Rows(NamedTuple):
    """Row numbers of the three parts of a fold, each (n,), int64, ascending."""

    train: Tensor
    valid: Tensor
    test: Tensor


def make_fold(x: Tensor, y: Tensor, rows: Rows) -> Fold:
    """Build the fold with these rows."""
    return join_splits(*(Split(x[part], y[part]) for part in rows))


def join_splits(train: Split, valid: Split, test: Split) -> Fold:
    """The fold of three splits; one validation set is for policies and early stopping."""
    return Fold(Views(train, valid, valid), test)


def hold_out(
    y: Tensor, share: float, seeds: Seeds, names: Sequence[str] = ()
) -> tuple[Tensor, Tensor]:
    """(N,) -> rows to keep and rows to hold out: ``share`` of each class, at least one row.

    Raises UserError, with the name of the class if ``names`` has one, if no row would be kept.
    """
    held = torch.zeros(len(y), dtype=torch.bool)
    for label in y.unique().tolist():
        rows = (y == label).nonzero().flatten()
        n_held = max(1, round(share * len(rows)))
        if n_held == len(rows):
            raise UserError(
                f"valid_share is {share}: of the {n_held} samples of class {_name(label, names)} "
                "it leaves none to train on; lower it or bring more samples"
            )
        order = torch.randperm(len(rows), generator=seeds.generator("hold out", label))
        held[rows[order[:n_held]]] = True
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def stratified(
    y: Tensor, n_folds: int, valid_share: float, seeds: Seeds, names: Sequence[str] = ()
) -> list[Rows]:
    """(N,) -> folds in which every class has its share; each row is tested in exactly one fold.

    Raises UserError when a class is too small for that.
    """
    check_options(n_folds, valid_share)
    parts = torch.empty(len(y), dtype=torch.int64)
    n_dealt = 0
    for label, count in zip(*(t.tolist() for t in y.unique(return_counts=True)), strict=True):
        most = -(-count // n_folds)
        if count < n_folds or count - most < 2:
            least = max(4 if n_folds == 2 else 3, n_folds)
            raise UserError(
                f"class {_name(label, names)} has {counted(count, 'sample')}, too few for n_folds "
                f"= {n_folds}: give it at least {least}, or ask for fewer folds"
            )
        rows = (y == label).nonzero().flatten()
        order = torch.randperm(count, generator=seeds.generator("folds", label))
        # The next class continues where the last one ended, so that the folds have the same size.
        parts[rows[order]] = (torch.arange(count) + n_dealt) % n_folds
        n_dealt += count
    folds = []
    for k in range(n_folds):
        rest = (parts != k).nonzero().flatten()
        train, valid = hold_out(y[rest], valid_share, seeds.child("fold", k), names)
        folds.append(Rows(rest[train], rest[valid], (parts == k).nonzero().flatten()))
    return folds


def grouped(
    y: Tensor,
    groups: NDArray[np.generic],
    n_folds: int,
    valid_share: float,
    *,
    even: Literal["rows", "groups"] = "rows",
) -> list[Rows]:
    """(N,), (N,) -> folds in which no group stands in two parts; each row is tested in one fold.

    Every part has its share of the rows (or of the groups), and of the rows of each class, as
    nearly as whole groups allow. A part may lack a class: `check_split` in parts.py says so.
    Nothing is drawn: the folds depend on the groups alone, so that hard groups (subjects) meet the
    same training set whatever the seed. Raises UserError when there are too few groups.
    """
    check_options(n_folds, valid_share)
    names, number = np.unique(groups, return_inverse=True)
    counts = count_rows(np.unique(y.numpy(), return_inverse=True)[1], number)
    if even == "groups":
        counts[:, -1] = 1
    tested = even_bins(counts, n_folds)
    if len(names) < n_folds or len(names) - int(np.bincount(tested).max()) < 2:
        raise UserError(
            f"n_folds = {n_folds} is too many for {counted(len(names), 'group')}: a fold needs "
            "one to test, one to validate and one to train, and parts of even size; ask for other "
            "folds or bring more groups"
        )
    folds = []
    for k in range(n_folds):
        rest = np.flatnonzero(tested != k)
        part = np.full(len(names), 2)
        part[rest] = choose_share(counts[rest], valid_share, k)
        folds.append(Rows(*(torch.from_numpy(np.flatnonzero(part[number] == p)) for p in range(3))))
    return folds


def _name(label: int, names: Sequence[str]) -> str:
    return names[label] if names else str(label)


def group_names(groups: NDArray[np.generic], rows: Rows) -> NDArray[np.str_]:
    """(N,) -> (n,): the name of the group of each test example, in their order."""
    return np.asarray(groups[rows.test.numpy()], dtype=np.str_)


def check_options(n_folds: int, valid_share: float) -> None:
    """Raise UserError for an impossible number of folds or share."""
    if n_folds < 2:
        raise UserError(f"n_folds is {n_folds}; it must be 2 or more")
    check_share(valid_share)


def check_share(valid_share: float) -> None:
    """Raise UserError for a share outside (0, 1)."""
    if not 0 < valid_share < 1:
        raise UserError(f"valid_share is {valid_share}; it must lie between 0 and 1")

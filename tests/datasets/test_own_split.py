"""Splits that an .npz brings along, and what is refused of them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets.arrays import arrays
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.parts import describe_split
from augbench.datasets.task import Task

N = 60
X = np.broadcast_to(np.arange(float(N))[:, None, None], (N, 2, 64))  # a row says which it is
Y = np.arange(N) % 3
OPTIONS = ArraysOptions(path="mine.npz", standardise=False)
PARTS = np.repeat(["train", "valid", "test"], [30, 12, 18])

Make = Callable[..., Task]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write_and_build(options: ArraysOptions = OPTIONS, **stored: Any) -> Task:
        np.savez(tmp_path / "mine.npz", x=X, y=Y, **stored)
        return arrays(options, tmp_path, 0)

    return write_and_build


def rows(task: Task, k: int = 0) -> tuple[list[int], list[int], list[int]]:
    fold = task.fold(k)
    train, valid, test = fold.views.train, fold.views.model_valid, fold.test
    found = [split.x[:, 0, 0].long().tolist() for split in (train, valid, test)]
    return found[0], found[1], found[2]


@pytest.mark.parametrize(
    "split",
    [
        PARTS,
        np.char.upper(PARTS),
        PARTS.astype("S"),
        np.where(PARTS == "valid", "dev", PARTS),
        np.repeat([0, 1, 2], [30, 12, 18]).astype(np.int8),
    ],
    ids=["words", "capitals", "bytes", "dev", "numbers"],
)
def test_each_row_is_in_the_part_that_the_file_says(split: Any, make: Make) -> None:
    task = make(split=split)
    assert task.n_folds == 1
    train, valid, test = rows(task)
    assert train == list(range(30))
    assert valid == list(range(30, 42))
    assert test == list(range(42, 60))


def test_without_validation_rows_a_share_of_each_class_is_held_out(make: Make) -> None:
    task = make(split=np.repeat([0, 1], [36, 24]))
    train, valid, test = rows(task)
    assert test == list(range(36, 60))
    assert sorted(train + valid) == list(range(36))
    assert np.bincount(Y[valid]).tolist() == [3, 3, 3]
    assert rows(make(split=np.repeat([0, 1], [36, 24]))) == (train, valid, test)


def test_with_groups_whole_groups_are_held_out(make: Make) -> None:
    groups = np.arange(N) // 6
    task = make(split=np.repeat([0, 1], [36, 24]), groups=groups)
    train, valid, test = rows(task)
    owners = [set(groups[part]) for part in (train, valid, test)]
    assert sum(map(len, owners)) == len(set.union(*owners)) == 10
    assert 1 <= len(owners[1]) <= 2
    assert task.test_groups is not None
    assert task.test_groups(0).tolist() == [str(groups[row]) for row in test]


def test_each_fold_of_the_file_is_tested_once(make: Make) -> None:
    fold = np.array(["a", "b", "c"])[np.arange(N) // 7 % 3]
    task = make(fold=fold)
    assert task.n_folds == 3
    for k, name in enumerate("abc"):
        train, valid, test = rows(task, k)
        assert test == np.flatnonzero(fold == name).tolist()
        assert sorted(train + valid + test) == list(range(N))
        assert valid
    assert describe_split(task, 0).startswith("60 windows, not by group; fold 0: ")


def test_a_group_in_training_and_test_is_a_notice(make: Make) -> None:
    with pytest.warns(UserNotice, match=r"1 of 4 groups in training and in test \(1\)"):
        make(split=PARTS, groups=np.repeat([0, 1, 2, 3], [20, 25, 5, 10]))


def test_another_split_is_other_data(make: Make) -> None:
    swapped = PARTS.copy()
    swapped[[0, 59]] = swapped[[59, 0]]
    prints = {make(split=each).fingerprint for each in (PARTS, swapped)} | {make().fingerprint}
    assert len(prints) == 3


def test_classes_of_the_file_are_named_unless_the_suite_does(make: Make) -> None:
    names = np.array(["left", "right", "rest"])
    assert make(classes=names).class_names == ("left", "right", "rest")
    options = replace(OPTIONS, class_names=("a", "b", "c"))
    assert make(options, classes=names).class_names == ("a", "b", "c")


WRONG = [
    ({"split": PARTS[:-1]}, r"split in mine\.npz has shape \(59,\) where x has 60 examples"),
    (
        {"split": np.where(PARTS == "test", "tset", PARTS)},
        r"split in mine\.npz holds tset; give",
    ),
    ({"split": np.arange(N) % 4}, r"holds 2, 3; give train, valid and test, or numbers"),
    ({"split": np.zeros(N, int)}, r"has no test row"),
    ({"split": np.repeat(["valid", "test"], 30)}, r"has no training row"),
    ({"split": PARTS == "x", "fold": Y}, r"holds split and fold"),
    (
        {"split": np.linspace(0, 1, N)},
        r"split in mine\.npz is of type float64; it must be",
    ),
    ({"fold": np.zeros(N, int)}, r"fold in mine\.npz is 0 everywhere"),
    ({"split": np.repeat([0, 1], [54, 6]), "groups": np.repeat([0, 1], [54, 6])}, r"of one group"),
    ({"classes": np.array(["a", "b"])}, r"must be the names of the 3 classes"),
    ({"classes": np.array(["a", "b", "a"])}, r"names one twice"),
    ({"folds": Y}, r"did you mean another name\? rename 'folds' to 'fold'"),
]


@pytest.mark.parametrize(("stored", "message"), WRONG, ids=[message[:30] for _, message in WRONG])
def test_what_cannot_be_is_one_sentence(stored: dict[str, Any], message: str, make: Make) -> None:
    with pytest.raises(UserError, match=message):
        make(**stored)


def test_n_folds_is_for_files_without_a_split(make: Make) -> None:
    with pytest.raises(UserError, match=r"n_folds is 3, but mine\.npz brings a split of its own"):
        make(replace(OPTIONS, n_folds=3), split=PARTS)


def test_the_official_splits_of_uea_work_as_they_are(data_root: Path) -> None:
    for name, shape, n_train, n_test, n_classes in (
        ("HandMovementDirection", (10, 400), 160, 74, 4),
        ("FingerMovements", (28, 50), 316, 100, 2),
        ("SelfRegulationSCP1", (6, 896), 268, 293, 2),
        ("SelfRegulationSCP2", (7, 1152), 200, 180, 2),
    ):
        task = arrays(ArraysOptions(path=f"uea/{name}.npz"), data_root, 0)
        assert task.signal.shape == shape
        assert task.n_classes == n_classes
        assert task.n_folds == 1
        fold = task.fold(0)
        assert len(fold.test.y) == n_test
        assert len(fold.views.train.y) + len(fold.views.model_valid.y) == n_train
        assert torch.isfinite(fold.test.x).all()

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets.arrays import arrays
from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.parts import check_split, describe_split, parts_of
from augbench.datasets.ssvep import SsvepOptions, ssvep
from augbench.datasets.task import Task

# As they were before groups were balanced by class: all subjects have even classes.
SSVEP = [
    "864 windows of 12 groups; fold 0: 384 / 160 / 320 windows, 6 / 2 / 4 groups",
    "864 windows of 12 groups; fold 1: 448 / 128 / 288 windows, 6 / 2 / 4 groups",
    "864 windows of 12 groups; fold 2: 480 / 128 / 256 windows, 6 / 2 / 4 groups",
]


def make(folder: Path, y: np.ndarray, *, n_folds: int, **stored: Any) -> Task:
    x = np.zeros((len(y), 1, 2, 2)) if stored.pop("images", False) else np.zeros((len(y), 2, 30))
    np.savez(folder / "mine.npz", x=x, y=y, **stored)
    return arrays(ArraysOptions(path="mine.npz", n_folds=n_folds), folder, 0)


def test_a_grouped_split_is_a_sentence(tmp_path: Path) -> None:
    groups = np.arange(36).repeat(30)
    task = make(tmp_path, np.arange(1080) % 3, n_folds=5, groups=groups)
    assert describe_split(task, 0) == (
        "1,080 windows of 36 groups; fold 0: 630 / 210 / 240 windows, 21 / 7 / 8 groups"
    )
    assert check_split(task, range(5)) is None


def test_a_split_that_is_not_by_group_says_so(tmp_path: Path) -> None:
    task = make(tmp_path, np.arange(100) % 2, n_folds=5, images=True)
    assert describe_split(task, 1) == ("100 images, not by group; fold 1: 60 / 20 / 20 images")


def test_ssvep_is_split_as_it_always_was(ssvep_root: Path) -> None:
    task = ssvep(SsvepOptions(), ssvep_root, 0)
    assert [describe_split(task, k) for k in range(3)] == SSVEP


def one_class_each(folder: Path, rare: int) -> Task:
    """Ten groups of one class each, of which ``rare`` have class b."""
    groups = np.arange(10).repeat(6)
    return make(folder, np.where(groups < rare, "b", "a"), n_folds=5, groups=groups)


def test_a_part_that_must_lack_a_class_is_told_for_the_folds_asked_for(tmp_path: Path) -> None:
    task = one_class_each(tmp_path, rare=4)
    lacking = [k for k in range(5) if 0 in task.parts(k).test.n_by_class]
    assert len(lacking) == 1  # 4 groups cannot be in 5 test parts
    fine = [k for k in range(5) if k not in lacking]
    assert check_split(task, fine) is None
    note = check_split(task, range(5))
    assert note is not None
    assert f"(fold {lacking[0]}: class 'b' in test)" in note
    assert "balanced accuracy there is the mean over the other classes alone" in note
    assert "no windows of class 'b' in test, so balanced" in describe_split(task, lacking[0])


def test_a_training_part_that_lacks_a_class_is_an_error_of_its_fold_alone(tmp_path: Path) -> None:
    task = one_class_each(tmp_path, rare=1)
    (lost,) = [k for k in range(5) if 0 in parts_of(task, k).train.n_by_class]
    for act in (lambda: check_split(task, range(5)), lambda: task.fold(lost)):
        with pytest.raises(UserError, match=rf"training groups of fold {lost} lack .* \('b'\)"):
            act()
    others = [k for k in range(5) if k != lost]
    assert check_split(task, others) is not None  # validation and test have no 'b' there
    assert torch.bincount(task.fold(others[0]).views.train.y).min() > 0


@pytest.mark.parametrize("n_groups", [10, 12, 30])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_groups_of_one_class_each_leave_no_part_without_a_class(
    tmp_path: Path, n_groups: int, n_classes: int
) -> None:
    groups = np.arange(n_groups).repeat(6)
    task = make(tmp_path, groups % n_classes, n_folds=3, groups=groups)
    assert check_split(task, range(3)) is None

"""Examples of the test (and of validation) that stand apart from those of training."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets.arrays import arrays
from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.task import Task

OPTIONS = ArraysOptions(path="mine.npz", standardise=False)
Y = np.arange(30) % 3


def numbered(n: int, first: int = 0) -> np.ndarray:
    """(n, 2, 64): a row says which it is."""
    return np.broadcast_to(np.arange(first, first + n, dtype=float)[:, None, None], (n, 2, 64))


TRAIN = {"x": numbered(30), "y": Y}
TEST = {"x_test": numbered(12, 100), "y_test": Y[:12]}
VALID = {"x_valid": numbered(6, 200), "y_valid": Y[:6]}
Make = Callable[..., Task]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write_and_build(options: ArraysOptions = OPTIONS, **stored: Any) -> Task:
        np.savez(tmp_path / "mine.npz", **stored)
        return arrays(options, tmp_path, 0)

    return write_and_build


def rows(task: Task) -> list[list[int]]:
    fold = task.fold(0)
    splits = (fold.views.train, fold.views.model_valid, fold.test)
    return [split.x[:, 0, 0].long().tolist() for split in splits]


def test_what_stands_in_x_test_is_tested_and_nothing_else(make: Make) -> None:
    task = make(**TRAIN, **TEST)
    assert task.n_folds == 1
    train, valid, test = rows(task)
    assert test == list(range(100, 112))
    assert task.fold(0).test.y.tolist() == Y[:12].tolist()
    assert sorted(train + valid) == list(range(30))
    assert valid


def test_what_stands_in_x_valid_is_for_validation(make: Make) -> None:
    train, valid, test = rows(make(**TRAIN, **TEST, **VALID))
    assert train == list(range(30))
    assert valid == list(range(200, 206))
    assert test == list(range(100, 112))


def test_a_second_file_is_tested(make: Make, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=TEST["x_test"], y=TEST["y_test"])
    task = make(replace(OPTIONS, test_path="other.npz"), **TRAIN)
    assert rows(task)[2] == list(range(100, 112))
    assert task.fingerprint == make(**TRAIN, **TEST).fingerprint
    with_valid = make(replace(OPTIONS, test_path="other.npz"), **TRAIN, **VALID)
    assert rows(with_valid)[1:] == [list(range(200, 206)), list(range(100, 112))]


def test_it_is_the_same_task_as_with_split(make: Make) -> None:
    apart = make(**TRAIN, **TEST)
    together = make(
        x=np.concatenate([TRAIN["x"], TEST["x_test"]]),
        y=np.concatenate([Y, Y[:12]]),
        split=np.repeat(["train", "test"], [30, 12]),
    )
    assert rows(apart) == rows(together)


def test_labels_may_be_text_and_types_of_one_kind_mix(make: Make) -> None:
    names = np.array(["left", "right", "rest"])
    task = make(x=TRAIN["x"], y=names[Y], x_test=TEST["x_test"], y_test=names[Y[:12]].astype("S"))
    assert task.class_names == ("left", "rest", "right")
    small = {"x_test": TEST["x_test"].astype(np.float32), "y_test": Y[:12].astype(np.uint8)}
    assert make(**TRAIN, **small).fold(0).test.x.dtype == torch.float32


def test_a_test_may_lack_a_class(make: Make) -> None:
    task = make(**TRAIN, x_test=TEST["x_test"], y_test=np.zeros(12, int))
    assert task.fold(0).test.y.tolist() == [0] * 12


def test_groups_of_both_parts_are_kept(make: Make) -> None:
    groups = {"groups": Y * 0 + np.arange(30) // 5, "groups_test": np.repeat([90, 91], 6)}
    task = make(**TRAIN, **TEST, **groups)
    train, valid, _ = rows(task)
    assert {row // 5 for row in train}.isdisjoint(row // 5 for row in valid)
    assert task.test_groups is not None
    assert task.test_groups(0).tolist() == ["90"] * 6 + ["91"] * 6


def test_images_and_large_x_are_read_from_both(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from augbench.datasets import examples

    monkeypatch.setattr(examples, "MAPPED_FROM", 0)
    random = np.random.default_rng(0)
    x, x_test = random.random((30, 3, 8, 8)), random.random((12, 3, 8, 8))
    task = make(x=x, y=Y, x_test=x_test, y_test=Y[:12])
    assert np.array_equal(task.fold(0).test.x.numpy(), x_test.astype(np.float32))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({**TEST, "split": Y % 2}, r"holds split, and x_test says which rows are tested, too"),
    ({**TEST, "fold": Y}, r"holds fold, and x_test says"),
    ({"x_test": TEST["x_test"]}, r"holds x_test but no y_test: give x_test and y_test"),
    ({"y_test": Y[:12]}, r"holds y_test but no x_test"),
    ({**VALID}, r"holds x_valid, y_valid but no x_test and y_test"),
    ({**TEST, "x_valid": VALID["x_valid"]}, r"holds x_valid but no y_valid"),
    ({**TEST, "x_test": numbered(12)[:, :1]}, r"x_test .* has shape \(12, 1, 64\) where x has"),
    ({**TEST, "x_test": numbered(12)[:, :, :9]}, r"\(12, 2, 9\) where x has \(30, 2, 64\)"),
    ({**TEST, "x_test": numbered(12)[..., None]}, r"all but the first number must be equal"),
    ({**TEST, "x_test": numbered(0), "y_test": Y[:0]}, r"there is nothing in it"),
    ({**TEST, "y_test": Y[:11]}, r"y_test in mine.npz has shape \(11,\) where x_test has 12"),
    ({**TEST, "x_test": numbered(12).astype(int)}, r"of type int64 where x is of type float64"),
    ({**TEST, "y_test": Y[:12].astype(str)}, r"y_test .* of type <U21 where y is of type int64"),
    ({**TEST, "y_test": Y[:12] + 1}, r"y_test in mine.npz has 3, which y in mine.npz lacks"),
    ({**TEST, "y_test": Y[:12] / 2}, r"y_test .* of type float64 where y"),
    ({**TEST, "groups": Y}, r"there is groups in mine.npz but no groups_test in mine.npz"),
    ({**TEST, "groups_test": Y[:12]}, r"but no groups in mine.npz"),
    ({**TEST, "groups": Y, "groups_test": Y}, r"groups_test .* has shape \(30,\) where x_test"),
    ({"X_Test": 1, "y_test": 1}, r"rename 'X_Test' to 'x_test'"),
    ({"x_val": 1}, r"rename 'x_val' to 'x_valid'"),
]


@pytest.mark.parametrize(("stored", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_contradicts_is_one_sentence(stored: dict[str, Any], message: str, make: Make) -> None:
    with pytest.raises(UserError, match=message) as caught:
        make(**TRAIN, **stored)
    assert "\n" not in str(caught.value)


OTHER: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"split": Y[:12] % 2}, r"other.npz holds split, but all of it is tested"),
    ({}, TEST, r"other.npz holds x_test, y_test, but"),
    (TEST, {}, r"mine.npz holds x_test or y_test, and test_path names other.npz"),
    ({"split": Y % 2}, {}, r"holds split, and the file other.npz of test_path says"),
    ({"sampling_rate": 64}, {"sampling_rate": 32}, r"sampling_rate in other.npz is 32 where"),
    ({"channels": ["C3", "C4"]}, {"channels": ["C4", "C3"]}, r"is C4, C3 where mine.npz has C3,"),
    ({}, {"y": Y[:12] + 5}, r"y in other.npz has 5, 6, 7, which y in mine.npz lacks"),
    ({}, {"x": numbered(12)[:, :1]}, r"x in other.npz has shape \(12, 1, 64\)"),
]


@pytest.mark.parametrize(("stored", "other", "message"), OTHER, ids=[each[2] for each in OTHER])
def test_files_that_contradict_are_one_sentence(
    stored: dict[str, Any], other: dict[str, Any], message: str, make: Make, tmp_path: Path
) -> None:
    np.savez(tmp_path / "other.npz", **{"x": numbered(12, 50), "y": Y[:12], **other})
    with pytest.raises(UserError, match=message):
        make(replace(OPTIONS, test_path="other.npz"), **TRAIN, **stored)


def test_a_file_does_not_test_itself(make: Make) -> None:
    with pytest.raises(UserError, match=r"path and test_path are both mine.npz"):
        make(replace(OPTIONS, test_path="mine.npz"), **TRAIN)
    with pytest.raises(UserError, match=r"there is no file .*option test_path"):
        make(replace(OPTIONS, test_path="gone.npz"), **TRAIN)


def test_a_rate_can_be_given_for_a_file_that_does_not_say_it(make: Make) -> None:
    task = make(replace(OPTIONS, sampling_rate=64.0), **TRAIN)
    assert task.signal.sampling_rate == 64
    assert "band_stop" in task.transforms
    with pytest.raises(UserError, match=r"sampling_rate is 64, but mine.npz says 32 hertz"):
        make(replace(OPTIONS, sampling_rate=64.0), **TRAIN, sampling_rate=32)
    with pytest.raises(UserError, match=r"sampling_rate is -1 hertz; it must be above 0"):
        make(replace(OPTIONS, sampling_rate=-1.0), **TRAIN)

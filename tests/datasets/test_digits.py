from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from augbench.datasets.digits import digits
from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import DigitsOptions


def test_all_images_are_there_once_over_the_test_splits() -> None:
    task = digits(DigitsOptions(), Path("nowhere"), 0)
    tests = torch.cat([task.fold(k).test.x for k in range(task.n_folds)])
    assert len(tests) == 1797
    assert tests.max() == 1.0
    assert (tests * 16 == (tests * 16).round()).all()


def test_the_first_class_is_zero() -> None:
    """A zero has a hole in its middle and a one does not."""
    split = digits(DigitsOptions(), Path("nowhere"), 0).fold(0).views.train
    middle = [split.x[split.y == label, 0, 3:5, 3:5].mean() for label in (0, 1)]
    assert middle[0] < 0.2 < 0.8 < middle[1]


def test_a_mirror_image_is_not_in_the_bank() -> None:
    assert "horizontal_flip" not in digits(DigitsOptions(), Path("nowhere"), 0).transforms


def test_the_images_are_those_that_scikit_learn_reads() -> None:
    images, labels = load_digits(return_X_y=True)
    task = digits(DigitsOptions(), Path("nowhere"), 0)
    tests = [task.fold(k).test for k in range(task.n_folds)]
    x, y = (torch.cat(each) for each in zip(*tests, strict=True))
    found = torch.cat([16 * x.flatten(1), y[:, None]], 1).int().tolist()
    read = zip(images, labels, strict=True)
    assert sorted(found) == sorted([*map(int, image), int(label)] for image, label in read)


def test_the_content_is_that_of_the_published_data() -> None:
    assert digits(DigitsOptions(), Path("nowhere"), 3).fingerprint == "cd1aaf9b427f698a"


def test_impossible_options_are_named() -> None:
    with pytest.raises(UserError, match="class 8 has 174 samples, too few for n_folds = 175"):
        digits(DigitsOptions(n_folds=175), Path("nowhere"), 0)

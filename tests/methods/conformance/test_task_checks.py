"""The checks of a task: ours pass, and each way to break a promise is named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from augbench.datasets import TASKS
from augbench.datasets.folds import Rows, make_fold, stratified
from augbench.datasets.options.row import TaskRow
from augbench.datasets.options.tasks import MarioIggyOptions, SinusoidsOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Fold, Part, Parts, Signal, Split, Task, fingerprint
from augbench.methods.conformance.task_checks import CHECKS, check_task

SMALL = {
    "sinusoids": SinusoidsOptions(n_train=40, n_test=8),
    "mario_iggy": MarioIggyOptions(n_train=60, n_test=20),
    "digits": None,
}


@pytest.mark.parametrize("name", SMALL)
def test_our_tasks_that_need_no_data_pass(name: str, tmp_path: Path) -> None:
    findings = list(check_task(name, TASKS[name], SMALL[name], tmp_path))
    assert [each for each in findings if not each.kept] == []
    assert [each.about for each in findings] == list(CHECKS)


@dataclass(frozen=True)
class Options:
    """None."""


def plain(seed: int = 0) -> Task:
    """Two classes in three folds, of six groups."""
    y = torch.arange(60) % 2
    x = torch.randn(60, 2, 20, generator=Seeds((seed, "x")).generator("x"))
    groups = np.array([f"g{k % 6}" for k in range(60)])
    rows = [
        Rows(*(torch.from_numpy(np.flatnonzero(np.isin(groups, names))) for names in parts))
        for parts in (
            (["g0", "g1"], ["g2", "g3"], ["g4", "g5"]),
            (["g2", "g3"], ["g4", "g5"], ["g0", "g1"]),
            (["g4", "g5"], ["g0", "g1"], ["g2", "g3"]),
        )
    ]
    return Task(
        name="mine",
        signal=Signal("eeg", (2, 20), ("C3", "C4"), 100.0),
        class_names=("a", "b"),
        n_folds=3,
        fold=lambda k: make_fold(x, y, rows[k]),
        trunk="mlp",
        transforms=("sign_flip",),
        training=TrainingSettings(),
        metric="accuracy",
        fingerprint=fingerprint(x, y),
        test_groups=lambda k: groups[rows[k].test.numpy()],
    )


def failed(change: Callable[[Task], Any] = lambda task: task, **row: Any) -> dict[str, str]:
    """What fails, and the words, of the plain task after a change."""
    made = TaskRow(Options, lambda options, data, seed: change(plain(seed)), kinds=("eeg",))
    found = check_task("mine", made._replace(**row))
    return {each.about: each.text for each in found if not each.kept}


def changed(task: Task, change: Callable[[Fold], Fold]) -> Task:
    return replace(task, fold=lambda k: change(task.fold(k)))


def train_as(fold: Fold, split: Split) -> Fold:
    return fold._replace(views=fold.views._replace(train=split))


def test_a_task_written_out_passes() -> None:
    assert failed() == {}


def into_training(task: Task) -> Task:
    """A test example that is trained on."""

    def leak(fold: Fold) -> Fold:
        train = fold.views.train
        x, y = torch.cat([train.x, fold.test.x[:1]]), torch.cat([train.y, fold.test.y[:1]])
        return train_as(fold, Split(x, y))

    return changed(task, leak)


def by_row(task: Task) -> Task:
    """Stratified by row, though it names groups."""
    whole = [task.fold(k).test for k in range(3)]
    x, y = torch.cat([each.x for each in whole]), torch.cat([each.y for each in whole])
    assert task.test_groups is not None
    groups = np.concatenate([task.test_groups(k) for k in range(3)])
    rows = stratified(y, 3, 0.3, Seeds((0, "rows")))
    return replace(
        task,
        fold=lambda k: make_fold(x, y, rows[k]),
        test_groups=lambda k: groups[rows[k].test.numpy()],
    )


def shares_memory(task: Task) -> Task:
    def share(fold: Fold) -> Fold:
        x = torch.cat([fold.views.train.x, fold.test.x])
        n = len(fold.views.train.y)
        return train_as(
            fold._replace(test=Split(x[n:], fold.test.y)), Split(x[:n], fold.views.train.y)
        )

    return changed(task, share)


def one_class(task: Task) -> Task:
    return changed(
        task, lambda fold: train_as(fold, Split(fold.views.train.x, 0 * fold.views.train.y))
    )


def in_float64(task: Task) -> Task:
    return changed(task, lambda fold: fold._replace(test=Split(fold.test.x.double(), fold.test.y)))


def with_nan(task: Task) -> Task:
    return changed(task, lambda fold: fold._replace(test=Split(fold.test.x / 0, fold.test.y)))


def other_labels(task: Task) -> Task:
    return changed(task, lambda fold: fold._replace(test=Split(fold.test.x, fold.test.y + 1)))


def wrong_parts(task: Task) -> Task:
    return replace(task, parts=lambda k: Parts(Part((1, 2)), Part((3, 4)), Part((5, 6))))


def seeds_numpy(task: Task) -> Task:
    np.random.seed(3)  # noqa: NPY002
    return task


@pytest.mark.parametrize(
    ("change", "about", "words"),
    [
        (lambda task: task.name, "contract", "build() returns a str"),
        (seeds_numpy, "contract", "a global generator (numpy.random)"),
        (lambda task: replace(task, class_names=("a", "a")), "contract", "class_names is"),
        (into_training, "disjoint", "training and test share 1 example"),
        (by_row, "disjoint", "is tested, and"),
        (shares_memory, "disjoint", "shares its memory"),
        (one_class, "classes", "has no example of b"),
        (in_float64, "tensors", "x is float32 and y int64"),
        (with_nan, "tensors", "NaN or infinite"),
        (other_labels, "tensors", "labels outside of 0 to 1"),
        (lambda task: changed(task, lambda _: task.fold(0)), "folds", "folds 0 and 1 are the same"),
        (lambda task: replace(task, fingerprint="v1"), "same again", "16 hex digits"),
        (wrong_parts, "counts", "parts(0) says that training holds (1, 2)"),
        (lambda task: replace(task, trunk="mpl"), "trunk and transforms", "trunk is 'mpl'"),
        (lambda task: replace(task, transforms=("sign",)), "trunk and transforms", "unknown trans"),
        (lambda task: replace(task, transforms=()), "trunk and transforms", "transforms is empty"),
    ],
)
def test_what_is_broken_is_named(change: Callable[[Task], Any], about: str, words: str) -> None:
    assert words in failed(change)[about]


def test_data_that_differ_from_one_build_to_the_next_are_named() -> None:
    numbers = iter(range(100))

    def another(task: Task) -> Task:
        n = next(numbers)
        return changed(task, lambda f: f._replace(test=Split(f.test.x + n, f.test.y)))

    assert "built a second time with the same seed" in failed(another)["same again"]


def by_hash(options: Options, data: Path, seed: int) -> Task:
    """A task whose classes have the order of a set."""
    return replace(plain(seed), class_names=tuple({f"class {k}" for k in range(20)}))


def test_data_that_differ_in_another_process_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    row = TaskRow(Options, f"{Path(__file__).stem}:by_hash", kinds=("eeg",))
    found = {each.about: each.text for each in check_task("mine", row) if not each.kept}
    assert found
    assert "in another process it is another: sort what has no order" in found["same again"]

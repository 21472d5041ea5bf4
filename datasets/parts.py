"""How a task is split into parts, in numbers and in one sentence."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from augbench.datasets.errors import UserError, counted
from augbench.datasets.folds import Rows
from augbench.datasets.task import Part, Parts, Task

NAMES = ("training", "validation", "test")  # as Parts has them


def count_parts(
    y: Tensor, rows: Rows, n_classes: int, groups: NDArray[np.generic] | None = None
) -> Parts:
    """Count the rows of each class, and the groups, in each part of a fold."""
    parts = []
    for part in rows:
        counts = np.bincount(y[part].numpy(), minlength=n_classes)
        n_groups = None if groups is None else len(np.unique(groups[part.numpy()]))
        parts.append(Part(tuple(counts.tolist()), n_groups))
    return Parts(*parts)


def parts_of(task: Task, fold: int) -> Parts:
    """What each part of a fold holds; builds the fold where the task has no ``parts``."""
    if task.parts is not None:
        return task.parts(fold)
    views, test = task.fold(fold)
    splits = (views.train, views.model_valid, test)
    return Parts(
        *(Part(tuple(split.y.bincount(minlength=task.n_classes).tolist())) for split in splits)
    )


def describe_split(task: Task, fold: int) -> str:
    """One sentence: how many windows (or images) and groups the task and its parts have.

    The parts are training, validation and test. The sentence names classes that validation or test
    lacks, because balanced accuracy is then the mean over fewer classes.
    """
    parts = parts_of(task, fold)
    rows = [sum(part.n_by_class) for part in parts]
    what = _what(task)
    text = f"{sum(rows):,} {what}"
    divided = f"fold {fold}: {_slashed(rows)} {what}"
    groups = [part.n_groups for part in parts if part.n_groups is not None]
    if len(groups) == len(parts):
        text = f"{text} of {counted(sum(groups), 'group')}; {divided}, {_slashed(groups)} groups"
    else:
        text = f"{text}, not by group; {divided}"
    lacks = _lacks(parts, task.class_names)
    if not lacks:
        return text
    return f"{text}; no {what} of {_listed(lacks)}, so {_metric_note(task)}"


def check_split(task: Task, folds: Iterable[int]) -> str | None:
    """One sentence about validation and test parts of these folds that lack a class, or None.

    Raises a UserError for a training part that lacks a class.
    """
    lacking = []
    for fold in folds:
        parts = parts_of(task, fold)
        check_training(parts, task.class_names, fold)
        lacks = _lacks(parts, task.class_names)
        if lacks:
            lacking.append(f"fold {fold}: {_listed(lacks)}")
    if not lacking:
        return None
    more = "examples" if parts.train.n_groups is None else "groups"
    return (
        f"some parts of {task.name!r} hold no {_what(task)} of some classes ("
        f"{'; '.join(lacking)}), so {_metric_note(task)}: ask for other folds or bring more {more}"
    )


def check_training(parts: Parts, class_names: Sequence[str], fold: int) -> None:
    """Raise a UserError where the training part of a fold lacks a class."""
    missing = _missing(parts.train, class_names)
    if missing:
        what = "part" if parts.train.n_groups is None else "groups"
        raise UserError(
            f"the training {what} of fold {fold} lack{'s' if what == 'part' else ''} a class that "
            f"others have ({', '.join(missing)}): ask for other folds, another n_folds or "
            f"valid_share, or bring more {'examples' if what == 'part' else 'groups'}"
        )


def _lacks(parts: Parts, class_names: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The validation and test parts that lack classes, by name, each with those classes."""
    named = zip(NAMES[1:], parts[1:], strict=True)
    found = [(name, _missing(part, class_names)) for name, part in named]
    return [(name, missing) for name, missing in found if missing]


def _missing(part: Part, class_names: Sequence[str]) -> list[str]:
    return [
        repr(name) for name, count in zip(class_names, part.n_by_class, strict=True) if count == 0
    ]


def _listed(lacks: list[tuple[str, list[str]]]) -> str:
    return " and ".join(f"class {', '.join(missing)} in {name}" for name, missing in lacks)


def _metric_note(task: Task) -> str:
    if task.metric == "balanced_accuracy":
        return "balanced accuracy there is the mean over the other classes alone"
    return "accuracy there says nothing of those classes"


def _what(task: Task) -> str:
    return "windows" if task.signal.kind == "eeg" else "images"


def _slashed(numbers: Iterable[int]) -> str:
    return " / ".join(f"{number:,}" for number in numbers)

"""Your own data: an .npz or .ts file becomes a task, without any code."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from augbench.datasets.array_fields import (
    Groups,
    channel_indices,
    read_channels,
    read_groups,
    read_labels,
    sampling_rate_of,
)
from augbench.datasets.array_file import ArrayFile
from augbench.datasets.defaults import fitting_bank, fitting_trunk
from augbench.datasets.errors import UserError
from augbench.datasets.examples import (
    Examples,
    Preparation,
    check_header,
    map_parts,
    prepare_examples,
)
from augbench.datasets.folds import (
    Rows,
    check_share,
    group_names,
    grouped,
    join_splits,
    make_fold,
    stratified,
)
from augbench.datasets.open_arrays import open_arrays
from augbench.datasets.options.tasks import ArraysOptions
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.own_split import own_rows, read_own_split
from augbench.datasets.parts import check_training, count_parts
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import Fold, Parts, Signal, Split, Task


class Contents(NamedTuple):
    """All but the numbers of x."""

    signal: Signal
    picked: tuple[int, ...] | None  # channels of the file, in this order; None is all
    labels: NDArray[np.int64]  # (N,)
    class_names: tuple[str, ...]
    groups: Groups | None


def arrays(options: ArraysOptions, data: Path, seed: int) -> Task:
    """Build a task from an .npz with x and y, and optionally other arrays of these names.

    x is (N, C, T) EEG, in any unit unless ``standardise`` is off, or (N, C, H, W) in [0, 1]; y (N,)
    integers or text; groups (N,), for example subjects, each in one part of a fold; channels
    (C,) names; sampling_rate in hertz; classes (K,) names, in the order of the labels; split or
    fold (N,), a split of the file's own (`read_own_split`); x_test, y_test, groups_test, x_valid,
    y_valid, groups_valid for examples that stand apart (`join`). A .ts file has x and y. A large x
    is prepared once, kept in the cache, and mapped.
    Raises UserError, one sentence, for any fault of the file.
    """
    return task_of(open_arrays(options, data), options, "arrays", seed)


def task_of(
    file: ArrayFile, options: ArraysOptions, name: str, seed: int, *, keep: bool = False
) -> Task:
    """Build a task of arrays, whatever file they come from. UserError: any fault of them.

    With ``keep`` even a small x is kept in the cache, because it takes long to read.
    """
    signal, picked, labels, class_names, groups = _read_contents(file, options)
    y = torch.from_numpy(labels)
    own_split = read_own_split(file, len(y))
    rows = _rows(options, y, class_names, groups, own_split, Seeds((seed, name)), file.name)
    rest = [labels, groups and groups.number, own_split]
    examples = prepare_examples(
        file,
        Preparation(signal.kind, options.standardise, picked),
        [array for array in rest if array is not None],
        f"{signal.channels} {signal.sampling_rate}",
        keep=keep,
    )

    def parts(k: int) -> Parts:
        number = None if groups is None else groups.number
        return count_parts(y, rows[k], len(class_names), number)

    def fold(k: int) -> Fold:
        check_training(parts(k), class_names, k)
        return _fold(examples, y, rows[k])

    def test_groups(k: int) -> NDArray[np.str_]:
        assert groups is not None
        return group_names(groups.of_rows(), rows[k])

    return Task(
        name=name,
        signal=signal,
        class_names=class_names,
        n_folds=len(rows),
        fold=fold,
        trunk=fitting_trunk(signal),
        transforms=fitting_bank(signal, file.name),
        training=TrainingSettings(epochs=50, batch_size=32, beta1=0.9, patience=15),
        metric=options.metric,
        fingerprint=examples.fingerprint,
        parts=parts,
        test_groups=None if groups is None else test_groups,
    )


def _rows(
    options: ArraysOptions,
    y: torch.Tensor,
    class_names: tuple[str, ...],
    groups: Groups | None,
    own_split: NDArray[np.int64] | None,
    seeds: Seeds,
    where: str,
) -> list[Rows]:
    if own_split is not None:
        check_share(options.valid_share)
        if options.n_folds != ArraysOptions.n_folds:
            raise UserError(
                f"n_folds is {options.n_folds}, but {where} brings a split of its own, of "
                f"{len(own_split)} fold(s): leave n_folds out"
            )
        return own_rows(own_split, y, class_names, groups, options.valid_share, seeds, where)
    if groups is None:
        return stratified(y, options.n_folds, options.valid_share, seeds, class_names)
    return grouped(y, groups.number, options.n_folds, options.valid_share)


def _read_contents(file: ArrayFile, options: ArraysOptions) -> Contents:
    where, x = file.name, file.members["x"]
    kind = check_header(x, options.kind, where)
    labels, class_names = read_labels(file, x.shape[0], options.class_names)
    groups = read_groups(file, x.shape[0])
    channels = read_channels(file, kind, x.shape[1])
    picked = channel_indices(options.channels, channels, kind, where)
    shape = x.shape[1:]
    if picked is not None:
        channels, shape = tuple(channels[i] for i in picked), (len(picked), *shape[1:])
    rate = sampling_rate_of(file, kind, options.sampling_rate)
    signal = Signal(kind, shape, channels, rate)
    return Contents(signal, picked, labels, class_names, groups)


def _fold(examples: Examples, y: torch.Tensor, rows: Rows) -> Fold:
    """The parts of a fold, mapped where the cache keeps x and has room for them."""
    named = {name: part.numpy() for name, part in rows._asdict().items()}
    mapped = map_parts(examples, named) if examples.key else None
    if mapped is None:
        return make_fold(torch.from_numpy(examples.x), y, rows)
    return join_splits(
        *(Split(torch.from_numpy(mapped[name]), y[part]) for name, part in named.items())
    )

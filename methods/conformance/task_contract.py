"""What a task is: it says what it holds, and holds that, for its trunk and its transforms."""

import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.seeds import global_seed
from augbench.datasets.trunks import TRUNKS
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.task_case import Case, parts_of
from augbench.methods.transforms.bank import make_bank

N_BATCH = 8


def contract(case: Case) -> str:
    """The task is built and says what it is."""
    task = case.task
    if task.n_folds < 1:
        raise BrokenError(f"n_folds is {task.n_folds}; it has to be 1 or more")
    task.fold(0)  # libraries that draw at their import have done so by now
    with generators.seeded(generators.UNUSUAL + 1):  # not the state that a fixed seed may have left
        before = generators.states()
        case.build().fold(0)
        touched = generators.touched(before, generators.states())
    if touched:
        raise BrokenError(
            f"it draws from or seeds a global generator ({', '.join(touched)}): draw from "
            "Seeds((seed, name)) of augbench/datasets/seeds.py"
        )
    if task.signal.kind not in case.row.kinds:
        raise BrokenError(
            f"its signal is {task.signal.kind!r}, which `kinds` of its row lacks: add it there"
        )
    if task.n_classes < 2 or len(set(task.class_names)) < task.n_classes:
        raise BrokenError(f"class_names is {task.class_names}; give 2 or more, each once")
    if task.signal.channels and len(task.signal.channels) != task.signal.n_channels:
        raise BrokenError(
            f"it names {len(task.signal.channels)} channels and has {task.signal.n_channels}"
        )
    what = f"{task.signal.kind} {' x '.join(map(str, task.signal.shape))}"
    return f"{task.n_folds} folds, {task.n_classes} classes, {what}"


def tensors_are_as_agreed(case: Case) -> str:
    """Types, shapes and ranges of all parts."""
    n = 0
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        for name, split in parts_of(fold).items():
            where = f"{name} of fold {number}"
            if split.x.dtype != torch.float32 or split.y.dtype != torch.int64:
                raise BrokenError(
                    f"{where} has {split.x.dtype} and {split.y.dtype}; x is float32 and y int64"
                )
            if split.x.shape != (len(split.y), *case.task.signal.shape) or not len(split.y):
                raise BrokenError(
                    f"{where} has x of shape {tuple(split.x.shape)} and {len(split.y)} labels; the "
                    f"signal says (N, {', '.join(map(str, case.task.signal.shape))}), N above 0"
                )
            if not torch.isfinite(split.x).all():
                raise BrokenError(f"{where} has NaN or infinite values: leave such examples out")
            image = case.task.signal.kind == "image"
            if image and not 0 <= float(split.x.min()) <= float(split.x.max()) <= 1:
                raise BrokenError(f"images in {where} leave [0, 1]: scale them")
            if not set(split.y.unique().tolist()) <= set(range(case.task.n_classes)):
                raise BrokenError(
                    f"{where} has labels outside of 0 to {case.task.n_classes - 1}: number them "
                    "in the order of class_names"
                )
            n += len(split.y)
    return f"float32 and int64, finite, in all parts of {len(case.numbers)} folds"


def trunk_and_transforms_fit(case: Case) -> str:
    """The trunk takes the signal and gets a gradient, and all transforms can be built."""
    task = case.task
    if task.trunk not in TRUNKS:
        raise BrokenError(f"trunk is {task.trunk!r}; `augbench trunks` lists those that there are")
    train = task.fold(0).views.train
    with global_seed(0):
        trunk = TRUNKS[task.trunk](task.signal, task.n_classes)
        logits: Tensor = trunk(train.x[:N_BATCH])
        if logits.shape != (len(train.y[:N_BATCH]), task.n_classes):
            raise BrokenError(f"its trunk gives {tuple(logits.shape)}, not a logit for each class")
        F.cross_entropy(logits, train.y[:N_BATCH]).backward()
    if not any(p.grad is not None and p.grad.any() for p in trunk.parameters()):
        raise BrokenError(f"trunk {task.trunk!r} gets no gradient from these data")
    bank = make_bank(task.transforms, task.signal, task.ranges)
    if not bank:
        raise BrokenError("transforms is empty: name those that make sense for these data")
    return f"trunk {task.trunk}, {len(bank)} transforms"

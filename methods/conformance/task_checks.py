"""What a task promises: the checks, in the order in which they are told."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from augbench.datasets.options.row import TaskRow, resolve
from augbench.datasets.parts import NAMES
from augbench.datasets.seeds import global_seed
from augbench.datasets.task import Fold, Split, Task
from augbench.datasets.trunks import TRUNKS
from augbench.methods.conformance import generators
from augbench.methods.conformance.finding import BrokenError, Finding, run_checks
from augbench.methods.conformance.options import describe_options
from augbench.methods.conformance.other_process import digest_elsewhere
from augbench.methods.conformance.task_digest import MOST_FOLDS, task_digest
from augbench.methods.transforms.bank import make_bank

N_BATCH = 8


@dataclass(frozen=True)
class Case:
    """A task's row, with what it is built from."""

    name: str
    row: TaskRow
    given: Any  # options; None: the row's own
    data: Path
    seed: int

    @property
    def options(self) -> Any:
        return self.row.options() if self.given is None else self.given

    def build(self) -> Task:
        """Build the task anew."""
        task = resolve(self.row.build)(self.options, self.data, self.seed)
        if not isinstance(task, Task):
            raise BrokenError(f"build() returns a {type(task).__name__}; it has to be a Task")
        return task

    @cached_property
    def task(self) -> Task:
        return self.build()

    @property
    def numbers(self) -> range:
        """The folds that are looked at."""
        return range(min(self.task.n_folds, MOST_FOLDS))

    def folds(self) -> Iterator[Fold]:
        """One after the other: all together may not fit into memory."""
        return map(self.task.fold, self.numbers)


def check_task(
    name: str, row: TaskRow, options: Any = None, data: Path = Path("data"), seed: int = 0
) -> Iterator[Finding]:
    """Whether a task keeps its promises; ``data`` is the folder of all data sets."""
    with generators.seeded(generators.UNUSUAL):
        yield from run_checks(
            CHECKS, Case(name, row, options, data.absolute(), seed), needed=("contract",)
        )


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
        for name, split in _parts(fold).items():
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


def every_class_is_in_training(case: Case) -> str:
    """What is never seen cannot be learned."""
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        present = set(fold.views.train.y.unique().tolist())
        lacking = [n for k, n in enumerate(case.task.class_names) if k not in present]
        if lacking:
            raise BrokenError(
                f"the training part of fold {number} has no example of {', '.join(lacking)}: "
                "stratify, or make fewer folds"
            )
    return "every class, in every fold"


def folds_are_disjoint(case: Case) -> str:
    """No example and no group stands in two parts of a fold; no memory is shared."""
    by_group = _rows_by_group(case)
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        rows = {name: _rows(split.x) for name, split in _parts(fold).items()}
        rows["policy validation"] = _rows(fold.views.policy_valid.x)
        for one, other in (NAMES[:2], NAMES[::2], NAMES[1:], ("test", "policy validation")):
            shared = rows[one] & rows[other]
            if shared:
                raise BrokenError(
                    f"fold {number}: {len(shared)} examples are in {one} and in {other}: deal "
                    "each row to one part"
                )
        test = fold.test.x.untyped_storage().data_ptr()
        if any(view.x.untyped_storage().data_ptr() == test for view in fold.views):
            raise BrokenError(
                f"fold {number}: the test split shares its memory with what methods are given: "
                "clone() it"
            )
        if case.task.test_groups is not None:
            _check_groups(case.task, number, rows, by_group)
    groups = f" and by group ({len(by_group)} of them)" if by_group else ""
    return f"training, validation and test share no example{groups}"


def _rows_by_group(case: Case) -> dict[str, set[bytes]]:
    """The test examples of each group, of all folds that are looked at together."""
    found: dict[str, set[bytes]] = {}
    if case.task.test_groups is None:
        return found
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        groups = case.task.test_groups(number)
        if len(groups) != len(fold.test.y):
            raise BrokenError(
                f"test_groups({number}) names {len(groups)} groups for {len(fold.test.y)} test "
                "examples: name one for each"
            )
        for group, row in zip(groups.tolist(), _listed_rows(fold.test.x), strict=True):
            found.setdefault(group, set()).add(row)
    return found


def _check_groups(
    task: Task, number: int, rows: Mapping[str, set[bytes]], by_group: Mapping[str, set[bytes]]
) -> None:
    assert task.test_groups is not None
    for group in sorted(set(task.test_groups(number).tolist())):
        for part in NAMES[:2]:
            n = len(by_group[group] & rows[part])
            if n:
                raise BrokenError(
                    f"fold {number}: group {group!r} is tested, and {n} of its examples are in "
                    f"{part}: keep each group in one part (`grouped` in datasets/folds.py does)"
                )


def folds_differ(case: Case) -> str:
    """Two folds that are the same would be counted as two observations."""
    seen: dict[str, int] = {}
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        digest = "".join(_digest(split) for split in _parts(fold).values())
        if digest in seen:
            raise BrokenError(f"folds {seen[digest]} and {number} are the same: make fewer")
        seen[digest] = number
    return "no two are the same"


def data_are_the_same_again(case: Case) -> str:
    """The same seed gives the same data, in another process too."""
    here, again = task_digest(case.task), task_digest(case.build())
    if here != again:
        raise BrokenError(
            "built a second time with the same seed it is another: draw from Seeds((seed, name)), "
            "and sort what has no order (files, sets)"
        )
    if not re.fullmatch("[0-9a-f]{16}", case.task.fingerprint):
        raise BrokenError(
            f"fingerprint is {case.task.fingerprint!r}; it has to be the 16 hex digits of "
            "fingerprint() in augbench/datasets/task.py"
        )
    elsewhere = digest_elsewhere(case.row, case.options, case.data, case.seed)
    if elsewhere is not None and elsewhere != here:
        raise BrokenError(
            "in another process it is another: sort what has no order (sets, files), and use no "
            "hash() of a text"
        )
    beside = "" if elsewhere is None else ", and in another process"
    return f"built twice{beside}, it is the same to the last bit"


def parts_are_counted(case: Case) -> str:
    """``parts`` says what the folds hold."""
    if case.task.parts is None:
        return "it has no parts(), so the folds themselves are counted"
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        told = case.task.parts(number)
        for part, (name, split) in zip(told, _parts(fold).items(), strict=True):
            counts = tuple(split.y.bincount(minlength=case.task.n_classes).tolist())
            if tuple(part.n_by_class) != counts:
                raise BrokenError(
                    f"parts({number}) says that {name} holds {part.n_by_class} of the classes; it "
                    f"holds {counts}"
                )
    return "parts() says what the folds hold"


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


def _parts(fold: Fold) -> dict[str, Split]:
    return dict(zip(NAMES, (fold.views.train, fold.views.model_valid, fold.test), strict=True))


def _listed_rows(x: Tensor) -> list[bytes]:
    return [sha256(row.contiguous().numpy()).digest()[:12] for row in x]


def _rows(x: Tensor) -> set[bytes]:
    return set(_listed_rows(x))


def _digest(split: Split) -> str:
    return sha256(b"".join(_listed_rows(split.x))).hexdigest()


CHECKS: Mapping[str, Callable[[Case], str]] = {
    "options": lambda case: describe_options(case.row.options),
    "contract": contract,
    "tensors": tensors_are_as_agreed,
    "classes": every_class_is_in_training,
    "disjoint": folds_are_disjoint,
    "folds": folds_differ,
    "same again": data_are_the_same_again,
    "counts": parts_are_counted,
    "trunk and transforms": trunk_and_transforms_fit,
}

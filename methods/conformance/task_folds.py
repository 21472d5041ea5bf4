"""The folds of a task: every class in training, nothing in two parts, no two the same."""

from collections.abc import Mapping
from hashlib import sha256

from torch import Tensor

from augbench.datasets.errors import counted
from augbench.datasets.parts import NAMES
from augbench.datasets.task import Split, Task
from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.task_case import Case, parts_of


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
        rows = {name: _rows(split.x) for name, split in parts_of(fold).items()}
        rows["policy validation"] = _rows(fold.views.policy_valid.x)
        for one, other in (NAMES[:2], NAMES[::2], NAMES[1:], ("test", "policy validation")):
            shared = rows[one] & rows[other]
            if shared:
                raise BrokenError(
                    f"fold {number}: {one} and {other} share "
                    f"{counted(len(shared), 'example')}: deal each row to one part"
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
        digest = "".join(_digest(split) for split in parts_of(fold).values())
        if digest in seen:
            raise BrokenError(f"folds {seen[digest]} and {number} are the same: make fewer")
        seen[digest] = number
    return "no two are the same"


def parts_are_counted(case: Case) -> str:
    """``parts`` says what the folds hold."""
    if case.task.parts is None:
        return "it has no parts(), so the folds themselves are counted"
    for number, fold in zip(case.numbers, case.folds(), strict=True):
        told = case.task.parts(number)
        for part, (name, split) in zip(told, parts_of(fold).items(), strict=True):
            counts = tuple(split.y.bincount(minlength=case.task.n_classes).tolist())
            if tuple(part.n_by_class) != counts:
                raise BrokenError(
                    f"parts({number}) says that {name} holds {part.n_by_class} of the classes; it "
                    f"holds {counts}"
                )
    return "parts() says what the folds hold"


def _listed_rows(x: Tensor) -> list[bytes]:
    return [sha256(row.contiguous().numpy()).digest()[:12] for row in x]


def _rows(x: Tensor) -> set[bytes]:
    return set(_listed_rows(x))


def _digest(split: Split) -> str:
    return sha256(b"".join(_listed_rows(split.x))).hexdigest()

"""Prints how even grouped folds are, and how long they take, beside scikit-learn's.

Run it by ``make speed`` or ``python tests/speed/folds.py``. Rows: the largest test part over the
mean; the largest share of a class in a test part over its share in all rows (worst class); parts,
validation included, that lack a class although enough groups have it.
"""

import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from augbench.datasets.folds import grouped

N_FOLDS = 5
SHARE = 0.25

Labels = NDArray[np.int64]
Parts = list[tuple[Labels, ...]]  # of each fold the rows of its test part, and of other parts


def cases() -> Iterator[tuple[str, Labels, Labels]]:
    """Name, labels and groups."""
    random = np.random.default_rng(0)

    def expand(sizes: Labels) -> Labels:
        return np.repeat(np.arange(len(sizes)), sizes)

    groups = expand(random.integers(20, 200, 36))
    yield "36 groups of 20 to 200, 4 classes", random.integers(0, 4, len(groups)), groups
    yield "the same, one label a group", random.integers(0, 4, 36)[groups], groups
    shares = random.dirichlet(np.full(5, 0.7), 36)[groups].cumsum(1)
    yield (
        "the same, each group its own shares of 5 classes",
        (random.random((len(groups), 1)) > shares).sum(1).clip(max=4),
        groups,
    )
    groups = expand(np.full(10, 50))
    yield "10 groups of 50, one label a group, 2 classes", (groups % 2), groups
    groups = expand((np.exp(random.normal(3, 1.2, 60)) + 1).astype(np.int64))
    yield "60 groups, lognormal, 3 classes", random.integers(0, 3, len(groups)), groups
    groups = expand(random.integers(800, 1200, 62))  # nights of sleep: 5 stages, N2 the commonest
    stages = random.choice(5, len(groups), p=[0.15, 0.08, 0.48, 0.12, 0.17])
    yield "62 nights of 800 to 1,200 pages, 5 stages", stages, groups
    groups = expand(random.integers(1, 12, 1600))
    yield "1,600 groups of 1 to 11, 4 classes", random.integers(0, 4, len(groups)), groups
    groups = expand(random.integers(1, 12, 20_000))
    yield "20,000 groups of 1 to 11, 4 classes", random.integers(0, 4, len(groups)), groups


def ours(y: Labels, groups: Labels) -> Parts:
    """Test and validation part of each fold."""
    folds = grouped(torch.from_numpy(y), groups, N_FOLDS, SHARE)
    return [(fold.test.numpy(), fold.valid.numpy()) for fold in folds]


def theirs(y: Labels, groups: Labels) -> Parts:
    """The test part of each fold, and a validation part from a split of the rest."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a class has fewer samples than folds
        parts: Parts = []
        for rest, test in StratifiedGroupKFold(N_FOLDS).split(y, y, groups):
            inner = StratifiedGroupKFold(round(1 / SHARE)).split(y[rest], y[rest], groups[rest])
            parts.append((test, rest[next(iter(inner))[1]]))
        return parts


def evenness(y: Labels, groups: Labels, parts: Parts) -> tuple[float, float, int]:
    """The three numbers of a row."""
    n_classes = int(y.max()) + 1
    sizes = np.array([len(test) for test, *_ in parts])
    all_shares = np.bincount(y) / len(y)
    shares = [np.bincount(y[test], minlength=n_classes) / len(test) for test, *_ in parts]
    owners = [len(np.unique(groups[y == label])) for label in range(n_classes)]
    possible = [label for label in range(n_classes) if owners[label] >= N_FOLDS + 1]
    lacking = sum(
        (np.bincount(y[part], minlength=n_classes)[possible] == 0).any()
        for fold in parts
        for part in fold
    )
    return sizes.max() / sizes.mean(), float((np.array(shares) / all_shares).max()), int(lacking)


def main() -> None:
    dealers: dict[str, Callable[[Labels, Labels], Parts]] = {
        "augbench": ours,
        "StratifiedGroupKFold": theirs,
    }
    for name, y, groups in cases():
        print(name)
        for dealer, deal in dealers.items():
            start = time.perf_counter()
            parts = deal(y, groups)
            seconds = time.perf_counter() - start
            size, share, lacking = evenness(y, groups, parts)
            print(
                f"  {dealer:21s} size {size:6.3f}  class share {share:6.3f}  "
                f"lacking {lacking:2d}  {seconds:7.2f} s"
            )


if __name__ == "__main__":
    main()

"""Whole groups, such as subjects, dealt out to parts that are even in rows and in classes."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Chosen = NDArray[np.bool_]

DONORS = 64  # groups to try for each class that a part lacks
SWAPS = 2000  # groups to try in exchange
SIZE_WEIGHT = 8.0  # weight of the number of rows; the classes together weigh 1
EXCHANGED = 1_000_000  # most pairs of groups times classes; larger data are even enough
EXCHANGED_BINS = 20

# Why not scikit-learn's StratifiedGroupKFold? It orders groups by the spread of their classes, not
# by size. Where all subjects have the same shares of the classes (ssvep), it takes them as they
# come. The largest of 5 folds of ssvep is 1.30 times the mean with it and 1.11 here; of 36 groups
# of 20 to 200 rows 1.09 and 1.00. It cannot give validation a share, and takes 31 s for 20,000
# groups in 5 folds with a validation part each, against 0.7 s here (tests/speed/folds.py).


def count_rows(y: NDArray[np.int64], number: NDArray[np.int64]) -> Counts:
    """(N,), (N,) -> (G, K + 1): a group's rows of each class, and then of all classes."""
    n_classes = int(y.max()) + 1
    flat = np.bincount(number * n_classes + y, minlength=(int(number.max()) + 1) * n_classes)
    by_class = flat.reshape(-1, n_classes)
    return np.column_stack([by_class, by_class.sum(1)]).astype(np.int64)


def even_bins(counts: Counts, n_bins: int) -> NDArray[np.int64]:
    """(G, K + 1) -> (G,): a bin for each group, so that bins are even in rows and in classes.

    Groups are placed from the largest to the smallest, each into the bin that has least of its
    classes and rows.
    Where all groups have the same shares of the classes, that is the bin with the fewest rows.
    """
    weights = _weights(counts)
    size = (counts**2 * weights).sum(1)
    bins = np.zeros(len(counts), dtype=np.int64)
    loads = np.zeros((n_bins, counts.shape[1]), dtype=np.int64)
    for group in np.argsort(-size, kind="stable").tolist():
        # Not a matrix product: equal bins must give equal bits, so that ties go to the first one.
        chosen = int((loads * (counts[group] * weights)).sum(1).argmin())
        bins[group] = chosen
        loads[chosen] += counts[group]
    _exchange(bins, counts, loads)
    targets = np.tile(counts.sum(0) / n_bins, (n_bins, 1))
    return _give_missing_classes(bins, counts, targets, np.ones(n_bins))


def choose_share(counts: Counts, share: float, turn: int) -> Chosen:
    """(G, K + 1) -> (G,): the groups that hold about ``share`` of the rows of each class.

    Some group is chosen and some is not. ``turn`` rotates which of several equal choices it is.
    """
    n_bins = min(len(counts), max(2, round(1 / share)))
    chosen = _nearest(even_bins(counts, n_bins) == turn % n_bins, counts, share)
    total = counts.sum(0)
    targets = np.stack([(1 - share) * total, share * total])
    # A class that training lacks cannot be learned; one that validation lacks is not scored.
    urgency = np.array([2.0 * counts.shape[1], 1.0])
    parts = _give_missing_classes(chosen.astype(np.int64), counts, targets, urgency)
    return np.equal(parts, 1)


def _weights(counts: Counts) -> NDArray[np.float64]:
    """(K + 1,): what the squared rows of each class weigh; the last is for all classes."""
    total = np.maximum(counts.sum(0), 1).astype(np.float64)
    weights: NDArray[np.float64] = 1 / total**2
    weights[-1] *= SIZE_WEIGHT * (len(total) - 1)
    return weights


def _exchange(bins: NDArray[np.int64], counts: Counts, loads: Counts) -> None:
    """Move and exchange groups, in place, as long as that makes two bins more even.

    Groups of equal shares stay where they are: the folds of ssvep are those of the first release.
    """
    total = counts.sum(0)
    alike = bool((counts * total[-1] == counts[:, -1:] * total).all())
    if alike or len(loads) > EXCHANGED_BINS or len(counts) * counts.size > EXCHANGED:
        return
    weights = _weights(counts)
    nothing = np.zeros_like(counts[:1])
    while True:
        best, move = -1e-12, None
        for one, other in combinations(range(len(loads)), 2):
            here, there = np.flatnonzero(bins == one), np.flatnonzero(bins == other)
            gone = np.vstack([nothing, counts[here]])[:, None]
            given = gone - np.vstack([nothing, counts[there]])  # (1 + G, 1 + G', K + 1)
            change = 2 * (given * (given + loads[other] - loads[one]) * weights).sum(-1)
            first, second = divmod(int(change.argmin()), change.shape[1])
            if change[first, second] < best:
                best = float(change[first, second])
                move = one, other, here[first - 1 : first], there[second - 1 : second]
        if move is None:
            return
        one, other, gone_groups, come_groups = move
        bins[gone_groups], bins[come_groups] = other, one
        for each in (one, other):
            loads[each] = counts[bins == each].sum(0)


def _nearest(chosen: Chosen, counts: Counts, share: float) -> Chosen:
    """Add or remove one group at a time as long as that brings the rows nearer to the share."""
    chosen = chosen.copy()
    weights = _weights(counts)
    columns = np.ascontiguousarray(counts.T)
    target = share * counts.sum(0)
    excess = counts[chosen].sum(0) - target
    while True:
        sign = np.where(chosen, -1, 1)
        change = np.zeros(len(counts))  # of the squared distance
        for weight, column, over in zip(weights, columns, excess, strict=True):
            change += weight * (column * (column + (2 * over) * sign))
        n_chosen = int(chosen.sum())
        if n_chosen == 1:
            change[chosen] = np.inf
        if n_chosen == len(counts) - 1:
            change[~chosen] = np.inf
        best = int(change.argmin())
        if change[best] >= 0:
            return chosen
        excess = excess + sign[best] * counts[best]
        chosen[best] = not chosen[best]


def _give_missing_classes(
    parts: NDArray[np.int64],
    counts: Counts,
    targets: NDArray[np.float64],
    urgency: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Move or exchange groups while that gives a part a class that it lacks.

    ``parts`` (G,) numbers the part of each group, ``targets`` (P, K + 1) are the rows that each
    part should have, ``urgency`` (P,) says how bad it is that a part lacks a class. Parts that
    lack nothing stay as they are.
    """
    parts = parts.copy()
    weights = _weights(counts)
    loads = np.stack([counts[parts == part].sum(0) for part in range(len(targets))])

    def lacking(part: int, load: Counts) -> NDArray[np.float64]:
        lack: NDArray[np.float64] = urgency[part] * (load[..., :-1] == 0).sum(-1)
        return lack

    def distance(part: int, load: Counts) -> NDArray[np.float64]:
        apart: NDArray[np.float64] = ((load - targets[part]) ** 2 * weights).sum(-1)
        return apart

    while True:
        best: tuple[float, float] = (0.0, 0.0)
        move: tuple[int, int | None, int] | None = None  # a group, what it is exchanged for, where
        for part, label in np.argwhere(loads[:, :-1] == 0).tolist():
            holds = counts[:, label] > 0
            # A part gives what it has twice, or what another needs more.
            n_holders = np.bincount(parts[holds], minlength=len(targets))
            gives = (n_holders > 1) | ((n_holders == 1) & (urgency < urgency[part]))
            donors = np.flatnonzero(holds & gives[parts])
            for donor in donors[np.argsort(counts[donors, -1], kind="stable")][:DONORS].tolist():
                giver = int(parts[donor])
                back = np.flatnonzero(parts == part)[:SWAPS]
                given = np.vstack([np.zeros_like(counts[:1]), counts[back]]) - counts[donor]
                here, there = loads[part] - given, loads[giver] + given
                lack = lacking(part, here) + lacking(giver, there)
                lack -= lacking(part, loads[part]) + lacking(giver, loads[giver])
                apart = distance(part, here) + distance(giver, there)
                apart -= distance(part, loads[part]) + distance(giver, loads[giver])
                if np.count_nonzero(parts == giver) == 1:
                    lack[0] = np.inf  # no part gives away its only group
                first = int(np.lexsort((apart, lack))[0])
                if (lack[first], apart[first]) < best and lack[first] < 0:
                    best = (float(lack[first]), float(apart[first]))
                    move = (donor, int(back[first - 1]) if first else None, part)
        if move is None:
            return parts
        donor, returned, part = move
        giver = int(parts[donor])
        parts[donor] = part
        if returned is not None:
            parts[returned] = giver
        loads = np.stack([counts[parts == each].sum(0) for each in range(len(targets))])

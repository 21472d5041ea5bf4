from contextlib import suppress

import numpy as np
import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.datasets.folds import grouped, hold_out, stratified
from augbench.datasets.seeds import Seeds

Y = torch.tensor([0] * 50 + [1] * 23 + [2] * 7)


def test_stratified_folds_test_each_row_once_and_keep_the_shares() -> None:
    folds = stratified(Y, 5, 0.25, Seeds((0,)))
    assert torch.equal(torch.cat([fold.test for fold in folds]).sort().values, torch.arange(80))
    for fold in folds:
        assert torch.equal(torch.cat(fold).sort().values, torch.arange(80))
        assert len(fold.test) == 16
        counts = torch.bincount(Y[fold.test], minlength=3)
        assert counts[0] == 10
        assert counts[1] in (4, 5)
        assert counts[2] in (1, 2)
        assert (torch.bincount(Y[fold.valid], minlength=3) >= 1).all()


def test_another_seed_gives_other_folds() -> None:
    one, other = (stratified(Y, 5, 0.25, Seeds((seed,)))[0].test for seed in (0, 1))
    assert not torch.equal(one, other)


def test_a_class_too_small_for_the_folds_is_named() -> None:
    with pytest.raises(UserError, match="class 2 has 7 samples, too few for n_folds = 8"):
        stratified(Y, 8, 0.25, Seeds((0,)))


def test_hold_out_takes_its_share_of_every_class() -> None:
    rest, held = hold_out(Y, 0.2, Seeds((0,)))
    assert torch.bincount(Y[held]).tolist() == [10, 5, 1]
    assert torch.equal(torch.cat([rest, held]).sort().values, torch.arange(80))


def test_a_share_that_leaves_nothing_to_train_on_is_named() -> None:
    with pytest.raises(UserError, match=r"valid_share is 0.95: of the . samples of class 2 it"):
        stratified(Y, 5, 0.95, Seeds((0,)))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99])
def test_groups_are_held_out_as_near_to_the_share_as_they_come(share: float) -> None:
    groups, y = np.repeat(np.arange(12), 10), torch.arange(120) % 2
    for fold in grouped(y, groups, 3, share):  # of 8 groups that are not tested
        held = len(fold.valid) / (len(fold.train) + len(fold.valid))
        assert 1 / 8 <= held <= 7 / 8
        assert abs(held - min(max(share, 1 / 8), 7 / 8)) <= 1 / 16
    few = grouped(y[:30], groups[:30], 3, share)  # of two: one to validate, one to train
    assert [len(fold.valid) for fold in few] == [10] * 3


def test_grouped_folds_are_disjoint_in_groups_and_even_in_rows() -> None:
    sizes = [40, 10, 10, 20, 30, 10, 20, 10]
    groups = np.repeat([f"s{i}" for i in range(8)], sizes)
    y = torch.arange(150) % 2
    folds = grouped(y, groups, 3, 0.25)
    assert torch.equal(torch.cat([fold.test for fold in folds]).sort().values, torch.arange(150))
    for fold in folds:
        seen = [set(groups[part.numpy()]) for part in fold]
        assert sum(map(len, seen)) == len(set.union(*seen))
        assert set.union(*seen) == set(groups)
        assert len(fold.test) == 50


@pytest.mark.parametrize(("n_groups", "n_folds"), [(3, 2), (2, 3), (4, 5)])
def test_too_few_groups_are_counted(n_groups: int, n_folds: int) -> None:
    groups = np.arange(60) % n_groups
    with pytest.raises(UserError, match=f"n_folds = {n_folds} is too many for {n_groups} groups?:"):
        grouped(torch.arange(60) // 30, groups, n_folds, 0.25)


def largest_first(sizes: list[int], n_bins: int) -> list[int]:
    """The bin of each group where only rows count: the largest first, into the emptiest bin."""
    loads, bins = [0] * n_bins, [0] * len(sizes)
    for group in sorted(range(len(sizes)), key=lambda g: -sizes[g]):
        bins[group] = loads.index(min(loads))
        loads[bins[group]] += sizes[group]
    return bins


@pytest.mark.parametrize("n_folds", [2, 3, 5])
@pytest.mark.parametrize("seed", range(5))
def test_groups_of_even_classes_are_dealt_by_their_rows_alone(seed: int, n_folds: int) -> None:
    """As on ssvep: a group of any size has the same shares of the classes."""
    sizes = np.random.default_rng(seed).integers(1, 6, 14) * 8
    groups = np.arange(14).repeat(sizes)
    y = torch.from_numpy(np.concatenate([np.arange(size) % 4 for size in sizes]))
    expected = np.array(largest_first(sizes.tolist(), n_folds))
    for k, fold in enumerate(grouped(y, groups, n_folds, 0.25)):
        assert set(groups[fold.test]) == set(np.flatnonzero(expected == k))


@pytest.mark.parametrize("seed", range(12))
def test_classes_are_even_too_and_rows_no_less_so(seed: int) -> None:
    """One class a group, the hardest case: by rows alone parts lack classes."""
    random = np.random.default_rng(seed)
    sizes = random.integers(20, 60, 24)
    groups, label = np.arange(24).repeat(sizes), np.arange(24) % 3
    y = torch.from_numpy(label[groups])
    share = torch.bincount(y) / len(y)
    for fold in grouped(y, groups, 4, 0.25):
        assert abs(len(fold.test) / len(y) - 1 / 4) < 0.03
        assert abs(len(fold.valid) / (len(fold.valid) + len(fold.train)) - 1 / 4) < 0.06
        for part, most in zip(fold, (0.1, 0.2, 0.1), strict=True):  # validation has 4 or 5 groups
            found = torch.bincount(y[part], minlength=3) / len(part)
            assert (found - share).abs().max() < most


@pytest.mark.parametrize("seed", range(20))
def test_no_part_lacks_a_class_that_enough_groups_have(seed: int) -> None:
    random = np.random.default_rng(seed)
    n_groups, n_folds = int(random.integers(12, 40)), int(random.integers(2, 5))
    label = random.choice(4, n_groups, p=[0.5, 0.3, 0.15, 0.05])
    label[:4] = range(4)
    groups = np.arange(n_groups).repeat((np.exp(random.normal(2, 1, n_groups)) + 1).astype(int))
    folds = grouped(torch.from_numpy(label[groups]), groups, n_folds, 0.25)
    for name in range(4):
        owners = set(np.flatnonzero(label == name).tolist())
        for fold in folds:
            tested, valid, train = (owners & set(groups[p]) for p in fold[::-1])
            assert tested or len(owners) < n_folds
            assert train or owners == tested
            assert valid or len(owners - tested) < 2


def test_no_part_gives_away_its_only_group() -> None:
    """Of groups with one class each and one with both, validation would have kept none."""
    y = torch.tensor([0] * 10 + [1] * 10 + [0] * 5 + [1] * 5)
    groups = np.array(["a"] * 10 + ["b"] * 10 + ["ab"] * 10)
    for fold in grouped(y, groups, 3, 0.25):
        assert min(map(len, fold)) > 0


@pytest.mark.parametrize("seed", range(40))
def test_no_part_of_few_groups_is_empty(seed: int) -> None:
    random = np.random.default_rng(seed)
    n_groups = int(random.integers(4, 10))
    groups = np.arange(n_groups).repeat(random.integers(2, 6, n_groups))
    y = torch.from_numpy(random.integers(0, 3, n_groups)[groups])
    with suppress(UserError):  # few groups of very uneven size cannot be split
        for fold in grouped(y, groups, 2, 0.25):
            assert min(map(len, fold)) > 0


def test_many_folds_and_classes_of_single_groups_end() -> None:
    groups = np.arange(60).repeat(3)
    folds = grouped(torch.from_numpy(groups % 20), groups, 60, 0.25)
    assert [len(fold.test) for fold in folds] == [3] * 60


@pytest.mark.parametrize(
    ("n_folds", "share", "message"),
    [(1, 0.25, "n_folds is 1; it must be 2 or more"), (3, 1.0, "valid_share is 1.0; it must lie")],
)
def test_impossible_options_are_named(n_folds: int, share: float, message: str) -> None:
    with pytest.raises(UserError, match=message):
        stratified(Y, n_folds, share, Seeds((0,)))
    with pytest.raises(UserError, match=message):
        grouped(Y, np.arange(80) % 9, n_folds, share)

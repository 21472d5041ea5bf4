from dataclasses import replace
from functools import cache
from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from augbench.datasets import mario_iggy as module
from augbench.datasets.errors import UserError
from augbench.datasets.mario_iggy import mario_iggy
from augbench.datasets.options.tasks import MarioIggyOptions
from augbench.datasets.pictures import robot, walker
from augbench.datasets.task import Split, Task

OPTIONS = MarioIggyOptions(n_train=400, n_test=200, n_folds=2)
PICTURES = torch.stack([walker(), robot()])


def make(seed: int = 0, data: Path = Path("nowhere"), **changes: object) -> Task:
    return mario_iggy(replace(OPTIONS, **changes), data, seed)  # type: ignore[arg-type]


def everything(task: Task, k: int = 0) -> Split:
    fold = task.fold(k)
    splits = [fold.views.train, fold.views.model_valid, fold.test]
    return Split(*(torch.cat(tensors) for tensors in zip(*splits, strict=True)))


def turned_by_hand(degrees: int) -> Tensor:
    """(2, 3, 32, 32): what bilinear sampling of the turned plane gives, pixel by pixel."""
    angle = degrees * pi / 180
    line = torch.arange(32, dtype=torch.float64) - 15.5
    x, y = line[None, :], line[:, None]
    from_x = np.cos(angle) * x - np.sin(angle) * y + 15.5
    from_y = np.sin(angle) * x + np.cos(angle) * y + 15.5
    padded = F.pad(PICTURES, (2, 2, 2, 2))
    left, top = from_x.floor().long(), from_y.floor().long()
    out = torch.zeros_like(PICTURES)
    for column, share_x in ((left, left + 1 - from_x), (left + 1, from_x - left)):
        for row, share_y in ((top, top + 1 - from_y), (top + 1, from_y - top)):
            inside = (row >= -2) & (row < 34) & (column >= -2) & (column < 34)
            values = padded[:, :, (row + 2).clamp(0, 35), (column + 2).clamp(0, 35)]
            out += values * (share_x * share_y * inside)
    return out


@cache
def candidates() -> Tensor:
    """(2 * 180, values): angle by angle, both pictures."""
    turned = torch.stack([turned_by_hand(degrees) for degrees in range(-180, 180, 2)])
    return turned.float().flatten(0, 1).flatten(1)


def nearest(x: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 3, 32, 32) -> which picture it is and by how many degrees it is turned, both (N,)."""
    best = torch.cdist(x.flatten(1), candidates()).argmin(1)
    return best % 2, best // 2 * 2 - 180


def test_the_papers_sizes_are_the_defaults_and_classes_are_even() -> None:
    defaults = MarioIggyOptions()
    assert (defaults.n_train, defaults.n_test, defaults.n_folds) == (10_000, 5000, 5)
    assert defaults.half_range == pi / 4
    fold = make().fold(0)
    assert torch.bincount(fold.views.train.y).tolist() == [80] * 4
    assert torch.bincount(fold.views.model_valid.y).tolist() == [20] * 4
    assert torch.bincount(fold.test.y).tolist() == [50] * 4


def test_labels_say_which_picture_it_is_and_whether_its_head_is_up() -> None:
    task = make()
    assert task.class_names == ("walker up", "walker down", "robot up", "robot down")
    x, y = everything(task)
    which, degrees = nearest(x)
    assert torch.equal(which, y // 2)
    assert torch.equal((degrees.abs() > 90).long(), y % 2)


def test_angles_fill_their_ranges_evenly_and_no_more() -> None:
    x, y = everything(make(n_train=2000))
    degrees = nearest(x)[1]
    up, down = degrees[y % 2 == 0], degrees[y % 2 == 1]
    from_down = torch.where(down > 0, down - 180, down + 180)
    for offset in (up, from_down):
        assert offset.abs().max() <= 46
        counts = torch.histc(offset.float(), bins=9, min=-46, max=46)
        assert counts.min() > 0.7 * len(offset) / 9


def test_a_narrower_range_is_kept() -> None:
    degrees = nearest(everything(make(half_range=0.1)).x)[1].abs()
    assert torch.minimum(degrees, 180 - degrees).max() <= 6


def test_turning_agrees_with_sampling_by_hand() -> None:
    for degrees in (-170, -45, 0, 33, 90, 180):
        angles = torch.full((2,), degrees * pi / 180, dtype=torch.float64)
        ours = module._turned(PICTURES, torch.tensor([0, 1]), angles)
        torch.testing.assert_close(ours, turned_by_hand(degrees).float(), atol=1e-6, rtol=0)
    upright = module._turned(PICTURES, torch.tensor([1]), torch.zeros(1).double())
    torch.testing.assert_close(upright[0], robot().float(), atol=1e-6, rtol=0)


def test_a_positive_angle_turns_counter_clockwise() -> None:
    quarter = module._turned(PICTURES, torch.tensor([0]), torch.full((1,), pi / 2).double())
    torch.testing.assert_close(
        quarter[0], torch.rot90(walker(), 1, (1, 2)).float(), atol=1e-6, rtol=0
    )


def test_turning_in_parts_is_turning_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = everything(make()).x
    monkeypatch.setattr(module, "TURNED_AT_ONCE", 7)
    assert torch.equal(everything(make()).x, whole)


def test_folds_and_seeds_are_independent_draws() -> None:
    draws = [everything(make(), 0), everything(make(), 1), everything(make(seed=1), 0)]
    sets = [{row.numpy().tobytes() for row in split.x} for split in draws]
    assert len(set.union(*sets)) == 3 * 600
    prints = [make(), make(seed=1), make(half_range=0.7), make(n_folds=1)]
    assert len({task.fingerprint for task in prints}) == 4


def test_the_numbers_are_those_that_were_drawn_at_first() -> None:
    task = make(n_train=8, n_test=4, n_folds=1)
    assert task.fingerprint == "7b30ab42832f95f3"  # of pictures, angles and labels
    x, y = task.fold(0).test
    assert y.tolist() == [3, 1, 0, 2]
    assert x[:, 0, 10, 14].tolist() == pytest.approx([0.1, 0.0, 1.0, 0.7468], abs=1e-4)


def test_pictures_of_the_user_are_turned_in_place_of_ours(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, colour in (("mario.png", 0), ("iggy.png", 2)):
        values = np.zeros((64, 64, 3), dtype=np.uint8)
        values[8:56, 8:56, colour] = random.integers(50, 256, (48, 48))
        Image.fromarray(values).save(tmp_path / name)
    task = make(data=tmp_path, pictures=("mario.png", "iggy.png"))
    assert task.class_names == ("mario up", "mario down", "iggy up", "iggy down")
    x, y = everything(task)
    assert torch.equal(x.mean((2, 3)).argmax(1) // 2, y // 2)
    assert task.fingerprint != make().fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_train": 7}, "n_train is 7; mario_iggy needs at least 8"),
        ({"n_test": 0}, "n_test is 0; mario_iggy needs at least 4"),
        ({"n_folds": 0}, "n_folds is 0"),
        ({"half_range": 0.0}, "half_range is 0 radians; it must lie between 0 and pi / 2"),
        ({"half_range": 2.0}, "half_range is 2 radians"),
        ({"half_range": float("nan")}, "half_range is nan radians"),
        ({"valid_share": 0.0}, "valid_share is 0.0; it must lie between 0 and 1"),
        ({"pictures": ("a.png", "gone.png")}, r"there is no picture .*gone.png"),
        ({"pictures": ("a.png", "a.png")}, "pictures are a.png and a.png; they must be two"),
    ],
)
def test_impossible_options_are_named(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    Image.fromarray(np.full((32, 32, 3), 9, dtype=np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=message):
        make(data=tmp_path, **changes)

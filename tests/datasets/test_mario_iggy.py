"""Two pictures turned at random: the angles, the labels, the pictures of a user's own."""

from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from datasets.errors import UserError
from datasets.figures import lizard, plumber, read_picture
from datasets.mario_iggy import MarioIggyOptions, _draw, mario_iggy, turned
from datasets.seeds import Seeds

SMALL = {"n_train": 40, "n_test": 20, "n_folds": 2}


def options(**given: Any) -> MarioIggyOptions:
    return MarioIggyOptions(**{**SMALL, **given})


def test_the_head_is_up_within_the_range_and_down_within_it_of_a_half_turn() -> None:
    y, angles = _draw(options(n_train=8000), Seeds(("test",)))
    up = angles[y % 2 == 0]
    down = angles[y % 2 == 1].abs()
    assert up.min().item() == pytest.approx(-pi / 4, abs=1e-2)
    assert up.max().item() == pytest.approx(pi / 4, abs=1e-2)
    assert down.min().item() == pytest.approx(3 * pi / 4, abs=1e-2)
    assert down.max().item() == pytest.approx(pi, abs=1e-2)
    assert up.mean().item() == pytest.approx(0, abs=0.03)
    assert (angles[y % 2 == 1] > 0).double().mean().item() == pytest.approx(0.5, abs=0.03)


def test_labels_are_even_and_say_which_picture_and_which_way_up() -> None:
    fold = mario_iggy(options(half_range=0.0), Path(), 0).fold(0)
    assert fold.test.y.bincount().tolist() == [5, 5, 5, 5]
    upright = torch.stack([plumber(32), lizard(32)]).float()
    for x, y in zip(*fold.views.train, strict=True):
        expected = upright[y // 2] if y % 2 == 0 else upright[y // 2].flip(1, 2)
        torch.testing.assert_close(x, expected, rtol=0, atol=1e-5)


def test_a_quarter_turn_is_counter_clockwise_and_nothing_is_cut_off() -> None:
    pictures = torch.stack([plumber(32), lizard(32)])
    quarter = turned(pictures, torch.full((2,), pi / 2, dtype=torch.float64))
    torch.testing.assert_close(quarter, pictures.rot90(1, (2, 3)), rtol=0, atol=1e-6)
    oblique = turned(pictures, torch.full((2,), pi / 4, dtype=torch.float64))
    assert oblique.sum().item() == pytest.approx(pictures.sum().item(), rel=5e-3)


def test_the_figures_tell_up_from_down_and_each_other_and_stand_on_black() -> None:
    pictures = [plumber(32), lizard(32)]
    assert (pictures[0] - pictures[1]).abs().mean() > 0.1
    for picture in pictures:
        assert (picture - picture.flip(1)).abs().mean() > 0.1
        assert (picture - picture.flip(2)).abs().mean() > 0.02
        border = torch.cat([picture[:, 0], picture[:, -1], picture[..., 0], picture[..., -1]])
        assert border.max() == 0


def test_folds_are_independent_draws_and_a_fold_is_made_anew_alike() -> None:
    task = mario_iggy(options(), Path(), 3)
    first, again, second = task.fold(0), task.fold(0), task.fold(1)
    assert torch.equal(first.views.train.x, again.views.train.x)
    assert not torch.equal(first.views.train.x, second.views.train.x)
    assert mario_iggy(options(), Path(), 4).fingerprint != task.fingerprint


def save(path: Path, mode: str = "RGB", size: tuple[int, int] = (64, 64)) -> str:
    Image.new(mode, size, color=128 if mode in ("L", "I;16") else None).save(path)
    return path.name


def test_pictures_of_ones_own_are_brought_to_size(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32, :, 0] = 255  # red above
    Image.fromarray(pixels).save(tmp_path / "red.png")
    grey = save(tmp_path / "grey.png", "L")
    task = mario_iggy(options(pictures=("red.png", grey)), tmp_path, 0)
    assert task.class_names[0] == "first up"
    red = read_picture(tmp_path / "red.png", 32)
    assert red.shape == (3, 32, 32)
    assert red[0, 0, 0] == 1
    assert red[0, -1, 0] == 0
    assert read_picture(tmp_path / grey, 32).unique().tolist() == pytest.approx([128 / 255])


@pytest.mark.parametrize(
    ("size", "mode", "complaint"),
    [
        ((64, 48), "RGB", "64 x 48 pixels; it has to be a square"),
        ((16, 16), "RGB", "at least 32 x 32"),
        ((64, 64), "I;16", "mode I;16; it has to be"),
    ],
)
def test_a_picture_of_another_size_or_mode_is_refused(
    size: tuple[int, int], mode: str, complaint: str, tmp_path: Path
) -> None:
    name = save(tmp_path / "p.png", mode, size)
    with pytest.raises(UserError, match=complaint):
        mario_iggy(options(pictures=(name, name)), tmp_path, 0)


def test_a_file_that_is_missing_torn_or_no_picture_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / save(tmp_path / "p.png")
    (tmp_path / "torn.png").write_bytes(whole.read_bytes()[:60])
    (tmp_path / "text.png").write_text("no picture")
    for name, complaint in (
        ("torn.png", "cannot read picture torn.png"),
        ("text.png", "cannot read picture text.png"),
        ("none.png", "there is no picture"),
    ):
        with pytest.raises(UserError, match=complaint):
            mario_iggy(options(pictures=("p.png", name)), tmp_path, 0)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"n_train": 7}, "n_train is 7"),
        ({"half_range": 2.0}, "half_range is 2.0"),
        ({"valid_share": 1.0}, "valid_share"),
    ],
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        mario_iggy(options(**given), Path(), 0)

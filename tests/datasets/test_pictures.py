from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.pictures import read_picture, robot, walker

RANDOM = np.random.default_rng(0)
COLOURS = RANDOM.integers(0, 256, (32, 32, 3), dtype=np.uint8)
AS_TENSOR = torch.from_numpy(COLOURS).permute(2, 0, 1) / 255.0


def save(path: Path, values: np.ndarray, mode: str = "RGB") -> Path:
    image = Image.fromarray(values)
    assert image.mode == mode
    image.save(path)
    return path


@pytest.mark.parametrize("draw", [walker, robot])
def test_our_pictures_look_like_none_of_their_mirror_images(draw: Callable[[], Tensor]) -> None:
    picture = draw()
    assert picture.shape == (3, 32, 32)
    assert picture.min() == 0
    assert 0.9 < picture.max() <= 1
    content = picture.abs().mean()
    for axes in ((1,), (2,), (1, 2)):
        assert (picture - picture.flip(axes)).abs().mean() > 0.5 * content


def test_our_pictures_differ_from_each_other_at_every_angle() -> None:
    distances = [
        (walker() - torch.rot90(picture, quarter, (1, 2))).abs().mean()
        for picture in (robot(), robot().flip(1))
        for quarter in range(4)
    ]
    assert min(distances) > 0.7 * walker().mean()


@pytest.mark.parametrize("draw", [walker, robot])
def test_turning_cuts_nothing_off_our_pictures(draw: Callable[[], Tensor]) -> None:
    line = torch.arange(32) - 15.5
    radius = (line[None, :] ** 2 + line[:, None] ** 2).sqrt()
    assert draw()[:, radius > 15.5].abs().max() == 0


def test_a_picture_of_the_right_size_is_read_as_it_is(tmp_path: Path) -> None:
    assert torch.allclose(read_picture(save(tmp_path / "a.png", COLOURS)).float(), AS_TENSOR)


def test_a_larger_picture_is_the_mean_of_its_areas(tmp_path: Path) -> None:
    large = COLOURS.repeat(3, axis=0).repeat(3, axis=1)
    assert torch.allclose(read_picture(save(tmp_path / "a.png", large)).float(), AS_TENSOR)


def test_grey_and_palettes_and_transparency_become_colours(tmp_path: Path) -> None:
    grey = read_picture(save(tmp_path / "grey.png", COLOURS[:, :, 0], "L"))
    assert torch.allclose(grey.float(), AS_TENSOR[:1].expand(3, 32, 32))
    path = tmp_path / "palette.gif"
    Image.fromarray(COLOURS // 200 * 200).convert("P").save(path)
    assert read_picture(path).shape == (3, 32, 32)
    alpha = np.zeros((32, 32, 1), dtype=np.uint8)
    alpha[:16] = 255
    half = read_picture(save(tmp_path / "a.png", np.concatenate([COLOURS, alpha], 2), "RGBA"))
    assert torch.allclose(half[:, :16].float(), AS_TENSOR[:, :16])
    assert half[:, 16:].max() == 0


@pytest.mark.parametrize(
    ("values", "mode", "message"),
    [
        (COLOURS[:20], "RGB", r"a.tiff has 32 x 20 pixels; it must be square, .* 32 x 32"),
        (COLOURS[:, :, 0].astype(np.float32), "F", "a.tiff has colours of mode F; save it as grey"),
        (COLOURS[:, :, 0].astype(np.uint16), "I;16", "a.tiff has colours of mode I;16"),
    ],
)
def test_a_picture_of_another_form_is_one_sentence(
    tmp_path: Path, values: np.ndarray, mode: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read_picture(save(tmp_path / "a.tiff", values, mode))


def test_a_file_that_is_missing_or_no_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no picture .*gone.png: the option pictures is"):
        read_picture(tmp_path / "gone.png")
    (tmp_path / "a.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n(run me) run\n")
    with pytest.raises(
        UserError, match=r"a.png is no picture or is cut off \(Unidentified.* of PNG"
    ):
        read_picture(tmp_path / "a.png")


def test_a_picture_cut_short_anywhere_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", COLOURS)
    content = path.read_bytes()
    for kept in range(0, len(content) - 20, 101):
        path.write_bytes(content[:kept])
        with pytest.raises(UserError, match=r"a.png is no picture or is cut off") as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)

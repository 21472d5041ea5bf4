"""Image files of all kinds become arrays in [0, 1]."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from augbench.datasets.image_folder.decode import ImageError, read_header, read_image

RANDOM = np.random.default_rng(0)
LEVELS = RANDOM.integers(0, 256, (6, 5), dtype=np.uint8)
COLOURS = RANDOM.integers(0, 256, (6, 5, 3), dtype=np.uint8)
DEEP = RANDOM.integers(0, 65536, (6, 5), dtype=np.uint16)


def read(path: Path, *, grey: bool) -> np.ndarray:
    return read_image(path, (6, 5), grey=grey)


@pytest.mark.parametrize("ending", ["png", "bmp", "ppm", "tif", "webp"])
def test_eight_bits_are_kept(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    how: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(COLOURS).save(file, **how)
    assert read_header(file) == (6, 5, False)
    assert np.array_equal(read(file, grey=False), COLOURS.transpose(2, 0, 1) / np.float32(255))
    assert read(file, grey=True).shape == (1, 6, 5)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_sixteen_bits_are_scaled_by_their_own_range(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    Image.fromarray(DEEP).save(file)
    assert read_header(file) == (6, 5, True)
    assert np.allclose(read(file, grey=True)[0], DEEP / 65535, atol=1e-6)
    assert np.array_equal(read(file, grey=False)[2], read(file, grey=True)[0])
    half = read_image(file, (3, 5), grey=True)
    assert half.shape == (1, 3, 5)
    assert 0 <= half.min() < half.max() <= 1


@pytest.mark.parametrize("ending", ["png", "gif"])
def test_a_palette_is_its_colours(ending: str, tmp_path: Path) -> None:
    two = np.where(LEVELS[..., None] > 127, (255, 0, 0), (0, 0, 255)).astype(np.uint8)
    file = tmp_path / f"a.{ending}"
    Image.fromarray(two).convert("P", palette=Image.Palette.ADAPTIVE, colors=2).save(file)
    assert np.array_equal(read(file, grey=False), two.transpose(2, 0, 1) / np.float32(255))


def test_what_is_transparent_becomes_black(tmp_path: Path) -> None:
    alpha = np.where(LEVELS > 127, 255, 0).astype(np.uint8)
    for name, content in (
        ("rgba", np.dstack([COLOURS, alpha])),
        ("la", np.dstack([LEVELS, alpha])),
    ):
        file = tmp_path / f"{name}.png"
        Image.fromarray(content).save(file)
        found = read(file, grey=name == "la")
        assert (found[:, alpha == 0] == 0).all()
        visible = content[..., :-1].transpose(2, 0, 1)[:, alpha == 255] / np.float32(255)
        assert np.array_equal(found[:, alpha == 255], visible)


def test_one_bit_is_black_or_white(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(LEVELS > 127).save(file)
    assert np.array_equal(read(file, grey=True)[0], (LEVELS > 127).astype(np.float32))


def test_a_photograph_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    file, exif = tmp_path / "a.png", Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    Image.fromarray(COLOURS).save(file, exif=exif)
    assert read_header(file) == (5, 6, False)
    turned = np.rot90(COLOURS, -1).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(read_image(file, (5, 6), grey=False), turned)


def test_prints_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    Image.new("CMYK", (5, 6), (0, 255, 255, 0)).save(file)
    assert read(file, grey=False)[0].min() > 0.9


def test_a_larger_image_is_the_mean_of_its_areas(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.new("RGB", (50, 60), (10, 20, 30)).save(file)
    assert np.allclose(read(file, grey=False)[:, 3, 3] * 255, (10, 20, 30))


def wide(path: Path) -> None:
    Image.fromarray(np.full((6, 5), 7.5, np.float32)).save(path)


def film(path: Path) -> None:
    Image.new("L", (5, 6)).save(path, save_all=True, append_images=[Image.new("L", (5, 6), 9)])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (wide, r"its values are outside of \[0, 1\]"),
        (film, "it holds 2 images"),
        (lambda path: path.write_bytes(b""), "it is empty"),
        (lambda path: path.write_bytes(b"II*\0" + bytes(100)), "."),
        (lambda path: Image.new("LAB", (5, 6)).save(path), "mode LAB"),
    ],
)
def test_what_cannot_be_read_says_why(write: Any, message: str, tmp_path: Path) -> None:
    write(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=message):
        read(tmp_path / "a.tif", grey=True)

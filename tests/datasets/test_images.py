"""Folders of images by class: layouts, tables, sizes, colours, and what is refused."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from augbench.datasets.cifar10 import CLASS_NAMES, cifar10
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.images import images
from augbench.datasets.options.tasks import Cifar10Options, ImagesOptions
from augbench.datasets.task import Task
from traffic_signs import write_gtsrb

RANDOM = np.random.default_rng(0)
OPTIONS = ImagesOptions(path="pics", n_folds=2)
Draw = Callable[..., None]


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Writes images, each of one level: draw("cats", 5) is pics/cats/0.png and four others."""

    def write(folder: str, n: int = 6, *, ending: str = "png", first: int = 0, **how: Any) -> None:
        place = tmp_path / "pics" / folder
        place.mkdir(parents=True, exist_ok=True)
        for k in range(first, first + n):
            image(**{"level": RANDOM.integers(256), **how}).save(place / f"{k}.{ending}")

    return write


def image(level: int = 100, mode: str = "RGB", size: tuple[int, int] = (12, 10)) -> Image.Image:
    """``size`` is width and height, as Pillow has them."""
    return Image.new("L", size, int(level)).convert(mode)


def build(tmp_path: Path, **options: Any) -> Task:
    return images(replace(OPTIONS, **options), tmp_path, 0)


def sizes(task: Task, k: int = 0) -> list[int]:
    fold = task.fold(k)
    return [len(s.y) for s in (fold.views.train, fold.views.model_valid, fold.test)]


@pytest.mark.parametrize("ending", ["png", "jpg", "JPEG", "bmp", "webp", "ppm", "gif", "tif"])
def test_each_folder_is_a_class(ending: str, draw: Draw, tmp_path: Path) -> None:
    for name in ("cats", "dogs", "birds"):
        draw(name, ending=ending)
    task = build(tmp_path)
    assert task.class_names == ("birds", "cats", "dogs")
    assert task.signal.kind == "image"
    assert task.signal.shape[1:] == (10, 12)
    assert task.n_folds == 2
    assert sum(sizes(task)) == 18
    assert task.fold(0).test.y.bincount().tolist() == [3, 3, 3]


def test_an_image_is_what_its_file_holds(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (12, 7, 9, 3), dtype=np.uint8)
    for k, each in enumerate(pixels):
        place = tmp_path / "pics" / "ab"[k % 2] / "deep" / "down"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(place / f"{k}.png")
    task = build(tmp_path)
    fold = task.fold(0)
    for split in (fold.views.train, fold.views.model_valid, fold.test):
        for x, y in zip(split.x, split.y, strict=True):
            rows = (x.numpy() == pixels.transpose(0, 3, 1, 2) / np.float32(255)).all((1, 2, 3))
            assert np.flatnonzero(rows) % 2 == [int(y)]


@pytest.mark.parametrize(
    ("names", "valid"),
    [
        (("train", "test"), None),
        (("Training", "Testing"), None),
        (("my_train", "my_test"), None),
        (("train", "test", "val"), 4),
        (("train", "test", "validation"), 4),
    ],
)
def test_folders_of_parts_are_the_split(
    names: tuple[str, ...], valid: int | None, draw: Draw, tmp_path: Path
) -> None:
    for label in "ab":
        for name, n in zip(names, (8, 3, 2), strict=False):
            draw(f"inner/{name}/{label}", n)
    draw("inner/__MACOSX/a", 2)
    draw("inner/.thumbs/a", 2)
    task = build(tmp_path, n_folds=5)
    assert task.n_folds == 1
    assert sizes(task) == [16 - (0 if valid else 4), valid or 4, 6]


def test_a_class_may_be_called_train(draw: Draw, tmp_path: Path) -> None:
    for label in ("train", "car", "test_tube"):
        draw(label)
    assert build(tmp_path).class_names == ("car", "test_tube", "train")


def test_all_images_are_one_size_only_where_one_asks_for_it(draw: Draw, tmp_path: Path) -> None:
    draw("a", size=(20, 10), mode="L")
    draw("b", 4, size=(20, 10), mode="L")
    draw("b", 2, first=4, size=(30, 40), mode="L")
    with pytest.raises(UserError, match=r"2 sizes .*10 x 20 \(10\), 40 x 30 \(2\): .*size = 8"):
        build(tmp_path)
    assert build(tmp_path, size=16).signal.shape == (1, 16, 16)
    assert build(tmp_path, size=(8, 20)).signal.shape == (1, 8, 20)
    for wrong in (0, (8, -1), 100_000):
        with pytest.raises(UserError, match=r"size is .*; it has to be pixels, from 1 to 4096"):
            build(tmp_path, size=wrong)


def test_all_files_that_are_broken_are_named(draw: Draw, tmp_path: Path) -> None:
    draw("a")
    draw("b")
    (tmp_path / "pics" / "a" / "0.png").write_bytes(b"")
    (tmp_path / "pics" / "b" / "1.png").write_text("no image")
    with pytest.raises(UserError) as caught:
        build(tmp_path)
    for part in ("2 of 12", "pics/a/0.png (it is empty)", "pics/b/1.png (it is no image"):
        assert part in str(caught.value)


def test_a_file_that_is_cut_off_is_named(draw: Draw, tmp_path: Path) -> None:
    noise = RANDOM.integers(0, 256, (10, 12), dtype=np.uint8)
    draw("a", level=5, mode="L")
    draw("b", level=9, mode="L")
    file = tmp_path / "pics" / "b" / "3.png"
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:-60])
    with pytest.raises(UserError, match=r"1 of 12 images cannot be read: pics/b/3.png \(.*trunc"):
        build(tmp_path)


def test_an_image_that_changed_is_read_again(draw: Draw, tmp_path: Path) -> None:
    draw("a", level=10)
    draw("b", level=20)
    before = build(tmp_path)
    assert build(tmp_path).fingerprint == before.fingerprint
    draw("a", 1, level=11)
    assert build(tmp_path).fingerprint != before.fingerprint


def test_colours_are_kept_unless_one_asks_for_grey(draw: Draw, tmp_path: Path) -> None:
    draw("a", mode="L")
    draw("b", mode="L")
    assert build(tmp_path).signal.n_channels == 1
    assert build(tmp_path, grey=False).signal.n_channels == 3
    draw("b", 1, first=9)
    assert build(tmp_path).signal.n_channels == 3
    assert build(tmp_path, grey=True).signal.n_channels == 1


def test_a_table_names_the_classes_of_a_flat_folder(draw: Draw, tmp_path: Path) -> None:
    draw("", 12)
    lines = ["id,label", *(f"{k},{'ab'[k % 2]}" for k in range(12))]
    table = tmp_path / "pics" / "labels.csv"
    table.write_text("\n".join(lines))
    assert build(tmp_path).class_names == ("a", "b")
    shutil.move(table, tmp_path / "elsewhere.csv")
    with pytest.raises(UserError, match=r"in no folders by class.*by the option labels"):
        build(tmp_path)
    assert sum(sizes(build(tmp_path, labels="elsewhere.csv"))) == 12
    draw("", 1, first=30)
    with pytest.warns(UserNotice, match=r"1 of 13 images .* are not in elsewhere.csv"):
        assert sum(sizes(build(tmp_path, labels="elsewhere.csv"))) == 12


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["name", "0.png"], "has to name a column of files"),
        (["name,class", "0.png,a", "99.png,b"], r"names 1 of 2 images .*\(99.png\)"),
        (["name,class", "0.png,a", "1.png"], "line 3 of l.csv lacks"),
        (["name,class", "0.png,a", "0.png,b"], "gives 0.png two classes, a and b"),
        ([], "has nothing"),
    ],
)
def test_a_table_that_cannot_be_is_one_sentence(
    lines: list[str], message: str, draw: Draw, tmp_path: Path
) -> None:
    draw("")
    (tmp_path / "l.csv").write_text("\n".join(lines))
    with pytest.raises(UserError, match=message):
        build(tmp_path, labels="l.csv")


WRONG: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    ((), {}, "there is no folder"),
    (("a",), {"path": ""}, "needs the option path"),
    (("a/.x",), {}, "there is no image under .*which holds no file"),
    (("a",), {}, "are in no folders by class"),
    (("train/a", "test/a", "meta/a"), {}, "train and test, and beside them meta: move these"),
    (("train/a", "val/a"), {}, "holds train, val but no folder test"),
    (
        ("train/a", "train/b", "test/c", "test/a"),
        {},
        r"that training lacks: c \(0.png\)",
    ),
    (("train/a", "train/b", "test/a", "test"), {}, "beside folders by class"),
    (("train/a", "train/b", "training/a", "test/a"), {}, "two folders of the part train"),
    (("a", "b"), {"test_path": "pics"}, "path and test_path are both pics"),
    (("a", "b/c", "b/d"), {"test_path": "pics/b"}, "none is in the other"),
    (("a", "b"), {"group": "("}, "no regular expression"),
    (("a", "b"), {"group": "xyz"}, "does not say its group by 'xyz'"),
    (("a", "b"), {"labels": "no.csv"}, "there is no file .*option labels"),
    (("a", "b"), {"n_folds": 9}, "class a has 6 samples, too few for n_folds = 9"),
]


@pytest.mark.parametrize(("folders", "options", "message"), WRONG, ids=[each[2] for each in WRONG])
def test_what_cannot_be_is_one_sentence(
    folders: tuple[str, ...], options: dict[str, Any], message: str, draw: Draw, tmp_path: Path
) -> None:
    for folder in folders:
        draw(folder)
    with pytest.raises(UserError, match=message):
        build(tmp_path, **options)


def test_the_official_split_of_gtsrb_needs_no_script(tmp_path: Path) -> None:
    write_gtsrb(tmp_path)
    whole = build(tmp_path, path="GTSRB", size=16, group=r"^\d{5}/\d{5}", n_folds=5)
    apart = build(
        tmp_path,
        path="GTSRB/Final_Training/Images",
        test_path="GTSRB/Final_Test/Images",
        test_labels="GTSRB/Final_Test/Images/GT-final_test.csv",
        size=16,
        group=r"^\d{5}/\d{5}",
        n_folds=5,
    )
    for task in (whole, apart):
        assert task.class_names == tuple(f"{label:05d}" for label in range(43))
        assert task.n_folds == 1
        n_train, n_valid, n_test = sizes(task)
        assert n_test == 86
        assert n_train + n_valid == 43 * 6
        assert n_valid % 3 == 0  # whole tracks
        assert task.fold(0).test.y.tolist() == [k % 43 for k in range(86)]
    assert torch.equal(whole.fold(0).test.x, apart.fold(0).test.x)


def test_numbers_of_classes_are_in_their_order(draw: Draw, tmp_path: Path) -> None:
    for label in range(11):
        draw(str(label), 4)
    assert build(tmp_path).class_names == tuple(map(str, range(11)))


@pytest.mark.filterwarnings("ignore:.* is not the official CIFAR-10")
def test_photographs_are_the_same_from_files(cifar_root: Path, tmp_path: Path) -> None:
    known = cifar10(Cifar10Options(normalise=False), cifar_root, 0).fold(0)
    for part, split in (("train", known.views.train), ("test", known.test)):
        for k in range(100):
            folder = tmp_path / "pics" / part / CLASS_NAMES[split.y[k]]
            folder.mkdir(parents=True, exist_ok=True)
            pixels = (split.x[k].permute(1, 2, 0) * 255).round().byte().numpy()
            Image.fromarray(pixels).save(folder / f"{k:03d}.png")
    fold = build(tmp_path, n_folds=5).fold(0)
    order = known.test.y[:100].argsort(stable=True)
    assert torch.equal(fold.test.x, known.test.x[:100][order])
    assert torch.equal(fold.test.y, known.test.y[:100][order])

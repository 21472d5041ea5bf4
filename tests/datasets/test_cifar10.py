import shutil
import tarfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path

import pytest
import torch

from augbench.datasets import cifar10 as module
from augbench.datasets.cifar10 import CHECKSUMS, CLASS_NAMES, FOLDER, cifar10
from augbench.datasets.errors import UserError
from augbench.datasets.fetch import Record
from augbench.datasets.options.tasks import Cifar10Options
from augbench.datasets.task import Split, Task
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.trunk import Normalise

OPTIONS = Cifar10Options()
NOT_OFFICIAL = "ignore:.* is not the official CIFAR-10"


@pytest.fixture
def copy(small_cifar: Path, tmp_path: Path) -> Path:
    return shutil.copytree(small_cifar, tmp_path / "data")


def training_set(task: Task, k: int) -> Split:
    views = task.fold(k).views
    return Split(*(torch.cat(parts) for parts in zip(views.train, views.model_valid, strict=True)))


def keys(x: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in x}


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_all_real_images_are_there_once(cifar_root: Path) -> None:
    task = cifar10(OPTIONS, cifar_root, 0)
    x, y = training_set(task, 0)
    test = task.fold(0).test
    assert len(keys(x)) == len(y) == 5 * len(test.y)
    assert len(test.y) in (1017, 10_000)
    assert (torch.bincount(y) > 0.08 * len(y)).all()
    assert x.max() == 1.0
    assert x.min() == 0.0


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_real_pixels_lie_beside_their_neighbours(cifar_root: Path) -> None:
    """Were rows, columns or colours mistaken for each other, neighbours would differ more."""
    x = cifar10(OPTIONS, cifar_root, 0).fold(0).test.x
    strangers = (x - x.flip(0)).abs().mean()
    for axis in (2, 3):
        assert x.diff(dim=axis).abs().mean() < 0.25 * strangers
    colours = x.flatten(2).transpose(0, 1).flatten(1)  # (3, all pixels)
    assert torch.corrcoef(colours).min() > 0.7


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_the_sky_behind_real_airplanes_is_blue_and_the_world_of_deer_is_not(
    cifar_root: Path,
) -> None:
    x, y = training_set(cifar10(OPTIONS, cifar_root, 0), 0)
    airplane, deer = (
        x[y == CLASS_NAMES.index(name)].mean((0, 2, 3)) for name in ("airplane", "deer")
    )
    assert airplane[2] > airplane[1] > airplane[0]
    assert deer[2] < deer[1]


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_folds_are_stratified_draws_of_a_fifth_and_share_the_test_set(small_cifar: Path) -> None:
    task = cifar10(OPTIONS, small_cifar, 0)
    folds = [task.fold(k) for k in range(task.n_folds)]
    assert len(folds) == 5
    for fold in folds:
        assert torch.bincount(fold.views.train.y).tolist() == [8] * 10
        assert torch.bincount(fold.views.model_valid.y).tolist() == [2] * 10
        assert torch.bincount(fold.test.y).tolist() == [2] * 10
        assert torch.equal(fold.views.policy_valid.x, fold.views.model_valid.x)
    assert len({frozenset(keys(fold.views.model_valid.x)) for fold in folds}) == 5
    other = cifar10(OPTIONS, small_cifar, 1)
    assert keys(training_set(other, 0).x) == keys(training_set(task, 0).x)
    assert keys(other.fold(0).views.train.x) != keys(folds[0].views.train.x)
    assert other.fingerprint == task.fingerprint


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_labels_stay_with_their_images(write_cifar: Callable[..., Path], tmp_path: Path) -> None:
    root = write_cifar(tmp_path)
    labels = {
        image.numpy().tobytes(): int(label)
        for name in CHECKSUMS
        for batch in [module.read_batch(root / FOLDER / name)]
        for image, label in zip(
            torch.tensor(batch.images) / 255, torch.tensor(batch.labels), strict=True
        )
    }
    fold = cifar10(OPTIONS, root, 0).fold(1)
    for x, y in (fold.views.train, fold.views.model_valid, fold.test):
        assert [labels[image.numpy().tobytes()] for image in x] == y.tolist()


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_the_trunk_normalises_and_what_methods_see_is_untouched(small_cifar: Path) -> None:
    plain, normal = (
        cifar10(replace(OPTIONS, normalise=given), small_cifar, 0) for given in (False, True)
    )
    assert torch.equal(plain.fold(0).test.x, normal.fold(0).test.x)
    for task, n_expected in ((plain, 0), (normal, 1)):
        trunk = TRUNKS[task.trunk](task.signal, task.n_classes)
        assert sum(isinstance(part, Normalise) for part in trunk.modules()) == n_expected


def test_what_is_not_official_is_said_once_with_its_size(small_cifar: Path) -> None:
    said = r"is not the official CIFAR-10: .* hold 100 training and 20 test images"
    with pytest.warns(UserWarning, match=said):
        cifar10(OPTIONS, small_cifar, 0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            cifar10(OPTIONS, small_cifar, 0)
    assert len(caught) == 1


def test_the_official_files_are_taken_without_a_word(
    small_cifar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The official ones are not here: these files are made the official ones."""
    for name in CHECKSUMS:
        digest = md5((small_cifar / FOLDER / name).read_bytes()).hexdigest()
        monkeypatch.setitem(module.CHECKSUMS, name, f"md5:{digest}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cifar10(OPTIONS, small_cifar, 0)
    assert not caught


def test_missing_files_say_what_to_do(copy: Path, tmp_path: Path) -> None:
    advice = r"6 of 6 .* data_batch_1\): .* --data or AUGBENCH_DATA, .* `augbench fetch cifar10`"
    with pytest.raises(UserError, match=advice):
        cifar10(OPTIONS, tmp_path, 0)
    (copy / FOLDER / "test_batch").unlink()
    with pytest.raises(UserError, match=r"1 of 6 cifar10 files .* first is test_batch"):
        cifar10(OPTIONS, copy, 0)


def test_a_torn_file_is_named(copy: Path) -> None:
    file = copy / FOLDER / "data_batch_4"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(UserError, match="data_batch_4 is no batch of CIFAR-10 or is cut off"):
        cifar10(OPTIONS, copy, 0)


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_a_class_too_small_to_be_split_is_named(
    write_cifar: Callable[..., Path], tmp_path: Path
) -> None:
    root = write_cifar(tmp_path, labels=[0, 1, 2, 9, 4, 5, 6, 7, 8, 9] * 2)
    with pytest.raises(UserError, match=r"hold 0 of class 'cat'; every class needs 2"):
        cifar10(OPTIONS, root, 0)


@pytest.mark.filterwarnings(NOT_OFFICIAL)
def test_other_data_have_another_fingerprint(copy: Path) -> None:
    before = cifar10(OPTIONS, copy, 0).fingerprint
    shutil.copy(copy / FOLDER / "data_batch_2", copy / FOLDER / "test_batch")
    assert cifar10(OPTIONS, copy, 0).fingerprint != before


def test_what_is_missing_can_be_fetched(
    small_cifar: Path, copy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The public archive is out of reach here; tests of fetch itself use a real server."""
    asked: list[str] = []

    def stand_in(record: Record, folder: Path) -> None:
        asked.extend(record.base_url + name for name in record.checksums)
        with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as archive:
            archive.add(small_cifar / FOLDER, FOLDER)

    for name in CHECKSUMS:
        digest = md5((small_cifar / FOLDER / name).read_bytes()).hexdigest()
        monkeypatch.setitem(module.CHECKSUMS, name, f"md5:{digest}")
    monkeypatch.setattr(module, "fetch", stand_in)
    module.fetch_cifar10(copy)
    assert asked == []  # nothing is missing
    (copy / FOLDER / "data_batch_3").unlink()
    empty = tmp_path / "empty"
    empty.mkdir()
    for root in (copy, empty):
        module.fetch_cifar10(root)
        assert [file.name for file in root.iterdir()] == [FOLDER]
        assert cifar10(OPTIONS, root, 0).fingerprint == cifar10(OPTIONS, small_cifar, 0).fingerprint
    assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (replace(OPTIONS, n_folds=0), "n_folds is 0; cifar10 needs at least 1"),
        (replace(OPTIONS, valid_share=1.0), "valid_share is 1.0; it must lie between 0 and 1"),
    ],
)
def test_impossible_options_are_named(
    tmp_path: Path, options: Cifar10Options, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        cifar10(options, tmp_path, 0)

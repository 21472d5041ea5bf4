"""CIFAR-10: small photographs of ten kinds of objects."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from augbench.datasets import banks
from augbench.datasets.cifar10_batches import SHAPE, Batch, read_batch
from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.fetch import Record, fetch, unpack
from augbench.datasets.folds import check_share, hold_out, join_splits
from augbench.datasets.options.tasks import Cifar10Options
from augbench.datasets.options.training import TrainingSettings
from augbench.datasets.seeds import Seeds
from augbench.datasets.task import (
    Fold,
    Normalisation,
    Part,
    Parts,
    Signal,
    Split,
    Task,
    fingerprint,
)

FOLDER = "cifar-10-batches-py"
BASE_URL = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_CHECKSUM = "md5:c58f30108f718f92721af3b95e74349a"  # on the page of CIFAR-10
CHECKSUMS = {  # as torchvision publishes them
    "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
    "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
    "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "md5:40351d587109b95175f43aff81a1287e",
}
CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# Of ImageNet; the paper uses it for CIFAR-10.
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def cifar10(options: Cifar10Options, data: Path, seed: int) -> Task:
    """Build the task: x (N, 3, 32, 32) in [0, 1]; the test split is the official one in all folds.

    Reads ``data/cifar-10-batches-py``. The files may hold a part of CIFAR-10; a warning says so.
    Raises UserError for impossible options, and for files that are missing or damaged.
    Source: Krizhevsky 2009; AugNet, section 5.1 and appendix A.3.
    """
    check_share(options.valid_share)
    if options.n_folds < 1:
        raise UserError(f"n_folds is {options.n_folds}; cifar10 needs at least 1")
    *batches, test_batch = _read(data / FOLDER)
    images, y = _concatenate(batches)
    test_images, test_y = _concatenate([test_batch])
    _check_classes(y)
    seeds = Seeds((seed, "cifar10"))

    def parts(k: int) -> Parts:
        train, valid = hold_out(y, options.valid_share, seeds.child("fold", k))
        counts = [labels.bincount(minlength=len(CLASS_NAMES)) for labels in (y[train], y[valid])]
        counts.append(test_y.bincount(minlength=len(CLASS_NAMES)))
        return Parts(*(Part(tuple(each.tolist())) for each in counts))

    def fold(k: int) -> Fold:
        # Images stay bytes until here: all 50,000 are 614 MB as float32.
        rest, held = hold_out(y, options.valid_share, seeds.child("fold", k))
        train, valid = (Split(_scaled(images[rows]), y[rows]) for rows in (rest, held))
        return join_splits(train, valid, Split(_scaled(test_images), test_y))

    return Task(
        name="cifar10",
        signal=Signal("image", SHAPE, normalisation=IMAGENET if options.normalise else None),
        class_names=CLASS_NAMES,
        n_folds=options.n_folds,
        fold=fold,
        trunk="pre_act_resnet18",
        transforms=banks.PHOTOGRAPHS,
        training=TrainingSettings(
            epochs=200,  # the official code: 300
            batch_size=128,
            # The paper's rate for AugNet's trunk; it has 1e-2 for the trunk alone and for Augerino.
            # All methods have one rate here, so that they can be compared. The official code has
            # 1e-3 for all, with AdamW or (baselines) momentum, and a weight decay of 2e-2.
            learning_rate=5e-4,
            schedule="cosine",
            beta1=0.9,
            weight_decay=1e-4,
            patience=200,  # no early stopping: the best of all epochs is taken
            class_weights=False,
        ),
        metric="accuracy",
        fingerprint=fingerprint(images, y, test_images, test_y),
        parts=parts,
    )


def fetch_cifar10(data: Path) -> None:
    """Download the official archive (170 MB) and extract what ``data`` lacks.

    Raises UserError if the network or the disk fails.
    """
    folder = data / FOLDER
    if all((folder / name).is_file() for name in CHECKSUMS):
        return
    fetch(Record("cifar10", BASE_URL, {ARCHIVE: ARCHIVE_CHECKSUM}), data)
    unpack(data / ARCHIVE, folder, CHECKSUMS)
    (data / ARCHIVE).unlink()


def _read(folder: Path) -> list[Batch]:
    """The five training batches and the test batch; warns if they are not the official ones."""
    missing = [name for name in CHECKSUMS if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{len(missing)} of {len(CHECKSUMS)} cifar10 files are missing under {folder} (the "
            f"first is {missing[0]}): name the folder that holds {FOLDER} with --data or "
            "AUGBENCH_DATA, or download them with `augbench fetch cifar10` (and the same --data)"
        )
    batches = [read_batch(folder / name) for name in CHECKSUMS]
    if [f"md5:{batch.checksum}" for batch in batches] != list(CHECKSUMS.values()):
        *n_train, n_test = (len(batch.labels) for batch in batches)
        warnings.warn(
            f"{folder} is not the official CIFAR-10: its files have other checksums, and hold "
            f"{sum(n_train)} training and {n_test} test images",
            UserNotice,
            stacklevel=3,
        )
    return batches


def _concatenate(batches: list[Batch]) -> tuple[Tensor, Tensor]:
    """Images (N, 3, 32, 32) as bytes, and labels (N,)."""
    images, labels, _ = zip(*batches, strict=True)
    return torch.from_numpy(np.concatenate(images)), torch.from_numpy(np.concatenate(labels))


def _check_classes(y: Tensor) -> None:
    counts = torch.bincount(y, minlength=len(CLASS_NAMES))
    if counts.min() < 2:
        rarest = int(counts.argmin())
        raise UserError(
            f"the training images of cifar10 hold {int(counts[rarest])} of class "
            f"{CLASS_NAMES[rarest]!r}; every class needs 2, one to train and one to validate: "
            "bring more images"
        )


def _scaled(images: Tensor) -> Tensor:
    """Bytes -> float32 in [0, 1]."""
    return images.float().div_(255)

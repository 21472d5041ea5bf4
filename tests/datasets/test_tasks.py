"""Conformance: what every row of TASKS must keep."""

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from augbench.datasets import TASKS, known_tasks, plugins
from augbench.datasets.banks import EEG, GEOMETRIC, IMAGE, PHOTOGRAPHS
from augbench.datasets.options.row import TaskRow, resolve
from augbench.datasets.options.tasks import SinusoidsOptions
from augbench.datasets.seeds import global_seed
from augbench.datasets.sinusoids import sinusoids
from augbench.datasets.task import Fold, Task
from augbench.datasets.trunks import TRUNKS
from nights import write_mass, write_sleep_edf

Build = Callable[[], Task]

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* is not the official CIFAR-10"),
    pytest.mark.filterwarnings("ignore:(in .* of .* recordings|the transforms of task)"),
]

ONE_TEST_SET = ("cifar10",)  # whose authors say what is tested, in every fold


@pytest.fixture(scope="session")
def npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("arrays")
    np.savez(
        folder / "mine.npz",
        x=random.normal(size=(60, 3, 64)),
        y=np.arange(60) % 3,
        channels=["C3", "Cz", "C4"],
        sampling_rate=64,
    )
    return folder


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five subjects in each layout, at a low rate."""
    folder = tmp_path_factory.mktemp("nights")
    for subject in range(5):
        write_sleep_edf(folder / "sleep_edf", f"SC4{subject:02d}1E0")
        write_mass(folder / "mass", subject + 1)
    return folder


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of noise in three classes, of two sizes."""
    random = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("pictures")
    for k in range(60):
        place = folder / "mine" / "abc"[k % 3]
        place.mkdir(parents=True, exist_ok=True)
        side = 8 + 4 * (k % 2)
        pixels = random.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{k}.png")
    return folder


@pytest.fixture(params=TASKS)
def build(request: pytest.FixtureRequest, npz: Path) -> Build:
    """Makes the task of a row anew."""
    name = request.param
    row = TASKS[name]
    options: Any = row.options()
    data = npz
    if name == "arrays":
        options = replace(options, path="mine.npz")
    if name == "images":
        data = request.getfixturevalue("pictures")
        options = replace(options, path="mine", size=8)
    if name == "mario_iggy":
        options = replace(options, n_train=200, n_test=100)
    if name == "cifar10":
        data = request.getfixturevalue("small_cifar")
    if name == "ssvep":
        data = request.getfixturevalue("ssvep_root")
    if name in ("sleep_edf", "mass", "simulated", "recordings"):
        data = request.getfixturevalue("nights")
        options = replace(options, high=0.0, sampling_rate=0.0)
    if name == "simulated":
        options = replace(options, path="mass")
    if name == "recordings":
        options = replace(
            options,
            path="mass",
            files="*PSG.edf",
            events_files="*Base.edf",
            night=r"\d\d-\d\d-\d{4}",
            subject=r"-(\d{4})",
            events={"W": "Sleep stage W", "N2": "Sleep stage 2"},
        )
    return lambda: resolve(row.build)(options, data, 7)


def parts(fold: Fold) -> dict[str, Any]:
    return {"train": fold.views.train, "valid": fold.views.model_valid, "test": fold.test}


def rows(x: torch.Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in x}


def test_tensors_are_as_the_contract_says(build: Build) -> None:
    task = build()
    for k in range(task.n_folds):
        for split in parts(task.fold(k)).values():
            assert split.x.dtype == torch.float32
            assert split.y.dtype == torch.int64
            assert split.x.shape == (len(split.y), *task.signal.shape)
            assert len(split.y) > 0
            assert torch.isfinite(split.x).all()
            if task.signal.kind == "image":
                assert split.x.min() >= 0
                assert split.x.max() <= 1


def test_every_class_is_in_train_and_no_label_is_out_of_range(build: Build) -> None:
    task = build()
    for k in range(task.n_folds):
        fold = task.fold(k)
        assert fold.views.train.y.unique().tolist() == list(range(task.n_classes))
        assert {*fold.views.model_valid.y.tolist()} <= {*range(task.n_classes)}
        assert {*fold.test.y.tolist()} <= {*range(task.n_classes)}


def test_no_example_stands_in_two_parts_of_a_fold(build: Build) -> None:
    task = build()
    for k in range(task.n_folds):
        fold = task.fold(k)
        seen = [rows(split.x) for split in (fold.views.train, fold.views.model_valid, fold.test)]
        assert not seen[0] & seen[1]
        assert not seen[2] & (seen[0] | seen[1] | rows(fold.views.policy_valid.x))


def test_no_view_shares_memory_with_the_test_split(build: Build) -> None:
    fold = build().fold(0)
    test = fold.test.x.untyped_storage().data_ptr()
    assert all(view.x.untyped_storage().data_ptr() != test for view in fold.views)


def test_two_builds_agree_to_the_last_bit(build: Build) -> None:
    one, other = build(), build()
    assert one.fingerprint == other.fingerprint
    assert len(one.fingerprint) == 16
    for k in range(one.n_folds):
        for a, b in zip(parts(one.fold(k)).values(), parts(other.fold(k)).values(), strict=True):
            assert torch.equal(a.x, b.x)
            assert torch.equal(a.y, b.y)


def test_folds_have_different_test_splits_or_where_it_is_given_validation_splits(
    build: Build,
) -> None:
    task = build()
    folds = [task.fold(k) for k in range(task.n_folds)]
    if task.name in ONE_TEST_SET:
        assert all(torch.equal(fold.test.x, folds[0].test.x) for fold in folds)
        assert not set.intersection(*(rows(fold.views.model_valid.x) for fold in folds))
    else:
        assert not set.intersection(*(rows(fold.test.x) for fold in folds))


def test_the_trunk_learns_a_batch(build: Build) -> None:
    task = build()
    train = task.fold(0).views.train
    x, y = train.x[:16], train.y[:16]
    with global_seed(0):
        trunk = TRUNKS[task.trunk](task.signal, task.n_classes)
        optimizer = torch.optim.Adam(trunk.parameters(), lr=1e-2)
        losses: list[float] = []
        while len(losses) < 15 and (not losses or losses[-1] >= 0.9 * losses[0]):
            loss = torch.nn.functional.cross_entropy(trunk(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_names_are_consistent(build: Build) -> None:
    task = build()
    assert TASKS[task.name]
    known = EEG if task.signal.kind == "eeg" else (*IMAGE, *GEOMETRIC, *PHOTOGRAPHS)
    assert set(task.transforms) <= set(known)
    assert len(task.transforms) == len(set(task.transforms)) > 0
    assert task.n_classes == len(set(task.class_names)) > 1
    if task.signal.channels:
        assert len(task.signal.channels) == task.signal.n_channels


@pytest.mark.parametrize("name", TASKS)
def test_options_are_frozen_and_all_have_defaults(name: str) -> None:
    options: Any = TASKS[name].options()
    with pytest.raises(FrozenInstanceError):
        setattr(options, fields(options)[0].name, None)


class Entry:
    """An entry point as importlib.metadata gives them."""

    value = "package.module:row"

    def __init__(self, name: str, row: object) -> None:
        self.name, self.row = name, row

    def load(self) -> object:
        if isinstance(self.row, Exception):
            raise self.row
        return self.row


def test_a_package_can_add_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    row = TaskRow(SinusoidsOptions, sinusoids)
    monkeypatch.setattr(plugins, "entry_points", lambda group: [Entry("waves", row)])
    assert known_tasks() == {**TASKS, "waves": row}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry("digits", TASKS["digits"]), "takes a name that is in use"),
        (Entry("waves", sinusoids), "is a function; it must be a TaskRow"),
        (Entry("waves", ImportError("no waves here")), r"cannot be imported \(ImportError: no wav"),
    ],
)
def test_a_bad_row_of_a_package_is_named(
    monkeypatch: pytest.MonkeyPatch, entry: Entry, message: str
) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [entry])
    (fault,) = known_tasks().faults().values()
    assert re.search(message, fault)
    assert known_tasks()["digits"] is TASKS["digits"]

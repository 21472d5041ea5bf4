"""What models predict on the test split, kept and read again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from augbench.bench.store.best_policies import read_best_policies
from augbench.bench.store.costs import read_costs
from augbench.bench.store.files import DamagedError, file_digest
from augbench.bench.store.open_run import open_run
from augbench.bench.store.points import read_points
from augbench.bench.store.predictions import (
    Predictions,
    load_predictions,
    read_predictions,
    write_predictions,
)
from runs import run_inline

SUITE = """
name = "kept"
folds = [0, 2]
[tasks.digits]
training = { epochs = 3 }
[methods.none]
[methods.random_policy]
n_policies = 2
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a method that ends in models, and of one that ends in policies."""
    folder = tmp_path_factory.mktemp("kept")
    return run_inline(SUITE, folder / "run")


def test_the_test_metric_at_the_best_validation_comes_out_of_them(out: Path) -> None:
    run, suite = open_run(out)
    best: dict[str, tuple[float, float]] = {}
    for point in read_points(run, suite.plan):
        held = best.setdefault(point["trial"], (point["valid"], point["test"]))
        if point["valid"] > held[0]:
            best[point["trial"]] = point["valid"], point["test"]
    found = {
        planned.spec.unit.digest: predictions
        for planned, predictions in read_predictions(run, suite.plan)
    }
    assert set(found) == set(best) == {planned.spec.unit.digest for planned in suite.plan}
    for trial, predictions in found.items():
        assert (predictions.y == predictions.predicted).mean() == best[trial][1]
        assert predictions.class_names == tuple("0123456789")
        assert np.abs(predictions.probabilities.sum(axis=1) - 1).max() < 1e-3
        # In 16 bits two classes may be equal: none is above the one that is predicted.
        chosen = np.take_along_axis(predictions.probabilities, predictions.predicted[:, None], 1)
        assert (predictions.probabilities <= chosen).all()


def test_trials_of_a_fold_have_the_same_examples_in_the_same_order(out: Path) -> None:
    run, suite = open_run(out)
    by_fold: dict[int, list[bytes]] = {}
    for planned, predictions in read_predictions(run, suite.plan):
        by_fold.setdefault(planned.spec.fold, []).append(predictions.y.tobytes())
    assert [len(set(labels)) for labels in by_fold.values()] == [1, 1]
    assert len({labels[0] for labels in by_fold.values()}) == 2


def test_only_those_of_the_best_weights_are_kept(out: Path) -> None:
    for result in out.glob("*/*/result.json"):
        record = json.loads(result.read_text())
        files = list(result.parent.glob("attempts/*/predictions-*"))
        if not record["weights"]:  # a trial that shows policies
            assert (files, record["predictions_digest"]) == ([], "")
            continue
        assert [file.name for file in files] == [f"predictions-{record['weights']}.npz"]
        assert file_digest(files[0]) == record["predictions_digest"]


@pytest.mark.parametrize("read", [read_predictions, read_best_policies, read_costs])
def test_a_damaged_trial_is_left_out(read: Callable[..., Any], out: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(out, tmp_path / "run"))
    run, suite = open_run(damaged)
    whole = list(read(run, suite.plan))
    unit = next(each for each in suite.plan if each.method == "random_policy").spec.unit
    (run.unit(unit).path / "spec.json").write_text("{}")
    left = list(read(run, suite.plan))
    assert 0 < len(left) < len(whole)
    assert unit.digest not in str(left)
    assert unit.digest in str(whole) or read is not read_costs


def test_they_are_small(out: Path) -> None:
    for file in out.glob("*/*/attempts/*/predictions-*"):
        with np.load(file) as arrays:
            n_examples = len(arrays["y"])
        assert file.stat().st_size < 24 * n_examples + 2000  # of ten classes


PREDICTIONS = Predictions(
    ("Wach", "müde"), np.array([0, 1, 1]), np.array([0, 1, 0]), np.eye(2)[[0, 1, 0]]
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "predictions-1.npz"
    written = PREDICTIONS._replace(groups=np.array(["Jörg", "S2", "S2"]))
    write_predictions(file, written)
    read = load_predictions(file, file_digest(file))
    assert read.class_names == written.class_names
    for mine, theirs in zip(read[1:], written[1:], strict=True):
        assert isinstance(mine, np.ndarray)
        assert mine.dtype == theirs.dtype
        assert (mine == theirs).all()


def test_examples_may_have_no_groups(tmp_path: Path) -> None:
    file = tmp_path / "predictions-1.npz"
    write_predictions(file, PREDICTIONS)
    assert load_predictions(file, file_digest(file)).groups is None


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "folder"])
def test_a_changed_file_is_refused_by_its_name(damage: str, tmp_path: Path) -> None:
    file = tmp_path / "predictions-1.npz"
    write_predictions(file, PREDICTIONS)
    digest, content = file_digest(file), bytearray(file.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    if damage in ("flip", "cut"):
        file.write_bytes(content[: 60 if damage == "cut" else None])
    else:
        file.unlink()
    if damage == "folder":
        file.mkdir()
    with pytest.raises(DamagedError, match=r"predictions-1.npz is damaged"):
        load_predictions(file, digest)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "predictions-1.npz"
    file.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_predictions(file, PREDICTIONS)
    assert not file.is_symlink()

"""The first suite of `augbench data check` fits its data and runs as it is."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from augbench.analysis.tables.frame import load
from augbench.bench.cli.data_command import check
from augbench.bench.cli.starter_suite import Starter, starter_suite, training_numbers
from augbench.bench.library import run_suite
from augbench.bench.plan.suite import load_suite, read_suite


@pytest.mark.parametrize("n_train", [1, 30, 399, 400, 401, 5000, 50_000, 1_000_000])
def test_a_training_has_a_sane_number_of_steps(n_train: int) -> None:
    epochs, batch = training_numbers(n_train)
    assert 10 <= epochs <= 50
    steps = epochs * -(-n_train // batch)
    assert steps <= 3000 or epochs == 10
    assert steps >= 1000 or epochs == 50


def test_layers_hold_only_what_the_task_has() -> None:
    starter = Starter("a", ['task = "arrays"'], 1, "eeg", ("time_mask", "band_stop"), 100)
    tables = tomllib.loads(starter_suite(starter, "augbench plan a.toml --hours"))
    assert tables["methods"]["augnet"]["layers"] == [["time_mask"], ["band_stop"]]
    assert {"epochs", "batch_size", "patience"} == set(tables["tasks"]["a"]["training"])
    plan = read_suite(tables, "a").plan
    assert {planned.method for planned in plan} == {
        *("none", "random_policy", "augnet", "fast_autoaugment", "dada")
    }


def test_the_suite_of_real_images_runs_as_it_is_and_says_its_hours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels, labels = load_digits(n_class=2, return_X_y=True)
    for k in range(36):
        part = "test" if k >= 24 else "train"
        place = tmp_path / "digits" / part / str(labels[k])
        place.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((pixels[k].reshape(8, 8) * 15).astype(np.uint8))
        image.save(place / f"{k}.png")
    out = tmp_path / "digits.toml"
    check(tmp_path / "digits", out, hours=True)
    assert "how long it takes stands at its beginning" in capsys.readouterr().out.replace("\n", " ")
    head = [line for line in out.read_text().splitlines() if line.startswith("# ")]
    for method in ("none", "random_policy", "augnet", "fast_autoaugment", "dada"):
        assert any(f"digits  {method} " in line for line in head), method
    assert any("total" in line for line in head)
    assert len(load_suite(out).plan) == 5
    run = run_suite(out, out=tmp_path / "run", data=tmp_path, verbose=False)
    points = load(run).points
    assert set(points["method"]) == {
        *("none", "random_policy", "augnet", "fast_autoaugment", "dada")
    }
    assert points.groupby("method")["test"].max().min() > 0.5

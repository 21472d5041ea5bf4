"""Scores from predictions: worked by hand, and out of a real run."""

from math import isnan
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from augbench.analysis.tables.class_scores import (
    CLASS_TABLE,
    CONFUSION_TABLE,
    GROUP_TABLE,
    METRIC_TABLE,
    class_table,
    confusion_table,
    group_table,
    kept_predictions,
    metric_table,
)
from augbench.analysis.tables.frame import load
from augbench.analysis.tables.scores import final_scores
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.spec import Budget, TaskSpec, TrialSpec
from augbench.bench.plan.suite import PlannedTrial, load_suite
from augbench.bench.store.predictions import Predictions

SPEC = TrialSpec(TaskSpec("digits", {}), "none", {}, 0, 0, Budget())
PLANNED = PlannedTrial("toy", "none", SPEC)


def kept(y, predicted, probabilities=None, names=("W", "N2", "REM"), groups=None):
    if probabilities is None:
        probabilities = np.eye(len(names))[predicted]
    groups = None if groups is None else np.array(groups)
    return [(PLANNED, Predictions(names, np.array(y), np.array(predicted), probabilities, groups))]


def test_metrics_worked_by_hand():
    # W: 2 of 3 right, N2: 1 of 2, REM: 1 of 1.
    row = metric_table(kept([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2])).iloc[0]
    assert row["n"] == 6
    assert row["accuracy"] == pytest.approx(4 / 6)
    assert row["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    # By chance: (3 * 2 + 2 * 2 + 1 * 2) / 36 = 1/3.
    assert row["kappa"] == pytest.approx((4 / 6 - 1 / 3) / (1 - 1 / 3))
    assert row["macro_f1"] == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)


def test_scores_of_each_group_worked_by_hand():
    groups = ["S2", "S1", "S1", "S1", "S2", "S1"]
    table = group_table(kept([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 2], groups=groups))
    assert list(table) == list(GROUP_TABLE)
    first, second = table.to_dict("records")
    # S1: W 1 of 2, N2 1 of 1, REM 1 of 1; S2: W 1 of 1, N2 0 of 1.
    assert (first["group"], first["n"], first["accuracy"]) == ("S1", 4, 3 / 4)
    assert first["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert first["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert (second["group"], second["n"], second["accuracy"]) == ("S2", 2, 1 / 2)
    assert second["balanced_accuracy"] == pytest.approx(1 / 2)
    assert second["kappa"] == 0


def test_a_task_without_groups_has_no_scores_of_groups():
    assert group_table(kept([0, 1], [0, 1])).empty


def test_the_area_under_the_curve_is_the_mean_over_the_classes_that_occur():
    probabilities = np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.5, 0.5, 0], [0.1, 0.9, 0]])
    row = metric_table(kept([0, 0, 1, 1], [0, 1, 0, 1], probabilities)).iloc[0]
    # Of the four pairs of a W and an N2, three are in the right order, for either class.
    assert row["auroc"] == pytest.approx(3 / 4)


def test_scores_of_each_class_worked_by_hand():
    table = class_table(kept([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 2, 2])).set_index("class")
    assert list(table["n"]) == [3, 2, 1]
    assert list(table["recall"]) == pytest.approx([2 / 3, 1 / 2, 1])
    assert list(table["precision"]) == pytest.approx([1, 1 / 2, 1 / 2])
    assert list(table["f1"]) == pytest.approx([4 / 5, 1 / 2, 2 / 3])


def test_a_confusion_matrix_holds_every_pair_of_classes():
    table = confusion_table(kept([0, 0, 0, 1, 1], [0, 0, 1, 1, 2]))
    counts = table.pivot_table(index="class", columns="predicted", values="n", sort=False)
    assert counts.to_numpy().tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert list(counts.columns) == ["W", "N2", "REM"]


def test_a_class_that_does_not_occur_has_no_row_and_changes_no_mean():
    given = kept([0, 0, 1, 1], [0, 2, 1, 1])
    assert list(class_table(given)["class"]) == ["W", "N2"]
    row = metric_table(given).iloc[0]
    assert row["balanced_accuracy"] == pytest.approx(3 / 4)
    assert row["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_a_class_that_is_never_predicted_has_a_score_of_0():
    table = class_table(kept([0, 1], [0, 0])).set_index("class")
    assert tuple(table.loc["N2", ["recall", "precision", "f1"]]) == (0, 0, 0)


def test_what_is_not_defined_is_empty():
    one_class = metric_table(kept([1, 1], [1, 1])).iloc[0]
    assert isnan(one_class["kappa"])
    assert isnan(one_class["auroc"])
    assert one_class["balanced_accuracy"] == 1
    lost = np.full((2, 3), np.nan)
    assert isnan(metric_table(kept([0, 1], [0, 0], lost)).iloc[0]["auroc"])


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (metric_table, METRIC_TABLE),
        (class_table, CLASS_TABLE),
        (confusion_table, CONFUSION_TABLE),
    ],
)
def test_nothing_gives_an_empty_table(table, columns):
    assert list(table([]).columns) == list(columns)
    assert table([]).empty


def test_the_metric_of_a_real_run_comes_out(tmp_path: Path):
    (tmp_path / "suite.toml").write_text(
        'name = "kept"\nfolds = 1\n[tasks.digits]\ntraining = { epochs = 2 }\n'
        "[methods.none]\n[methods.random_policy]\nn_policies = 2\n"
    )
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(load_suite(tmp_path / "suite.toml"), options, Console(quiet=True))
    finals = final_scores(load(tmp_path / "run").points)
    table = metric_table(kept_predictions(tmp_path / "run"))
    both = pd.merge(finals, table, on=["task", "method", "fold", "seed", "trial"])
    assert len(both) == len(finals) == 2
    assert list(both["accuracy"]) == list(both["test"])
    y = next(kept_predictions(tmp_path / "run"))[1].y
    results = load(tmp_path / "run")
    assert results.chance == {"digits": np.bincount(y).max() / len(y)}
    assert results.test_train_ratios == {"digits": len(y) / (1797 - len(y))}


def test_chance_of_a_balanced_metric_is_one_of_the_classes(tmp_path: Path):
    y = np.repeat([0, 1, 2], [60, 30, 30])
    x = np.random.default_rng(0).normal(size=(len(y), 2, 32)).astype("float32")
    np.savez(tmp_path / "mine.npz", x=x, y=y, sampling_rate=64.0)
    (tmp_path / "suite.toml").write_text(
        'name = "mine"\nfolds = 2\n[tasks.arrays]\npath = "mine.npz"\ntrunk = "mlp"\n'
        "training = { epochs = 1 }\n[methods.none]\n"
    )
    options = RunOptions(tmp_path / "run", tmp_path, engine="inline")
    assert run_suite(load_suite(tmp_path / "suite.toml"), options, Console(quiet=True))
    results = load(tmp_path / "run")
    assert set(results.points["metric"]) == {"balanced_accuracy"}
    assert results.chance == {"arrays": pytest.approx(1 / 3)}

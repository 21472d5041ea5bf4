from dataclasses import replace

import numpy as np
import pandas as pd

from augbench.analysis.tables.frame import results
from augbench.analysis.tables.summary import summary_scores
from augbench.analysis.tables.task_scores import (
    comparable_times,
    first_references,
    mixed_devices,
    shared_scores,
    task_means,
    task_scores,
)

POINT = (0.5, 0.4, 1.0, 1.0)


def test_a_task_has_a_row_for_each_fold_and_seed_and_a_column_for_each_method(trial, gather):
    run = gather(
        trial("none", 0, [POINT], seed=0),
        trial("none", 0, [(0.5, 0.6, 1, 1)], seed=1),
        trial("mine", 1, [POINT], seed=0),
        trial("mine", 0, [POINT], seed=0, state="running"),  # has no final score yet
        trial("none", 0, [POINT], task="other"),
    )
    scores = task_scores(run)
    assert list(scores) == ["other", "toy"]
    assert list(scores["other"]) == ["none"]
    table = scores["toy"]
    assert list(table.index) == [(0, 0), (0, 1), (1, 0)]
    np.testing.assert_array_equal(table["none"], [0.4, 0.6, np.nan])
    np.testing.assert_array_equal(table["mine"], [np.nan, np.nan, 0.4])


def test_shared_runs_are_those_that_all_have():
    table = pd.DataFrame({"a": [0.1, np.nan, 0.3], "b": [0.4, 0.5, 0.6]})
    np.testing.assert_array_equal(shared_scores(table, ["b", "a"]), [[0.4, 0.1], [0.6, 0.3]])
    assert shared_scores(table, ["a", "c"]).shape == (0, 2)
    assert shared_scores(table, []).shape == (0, 0)


def test_means_that_are_alike_are_equal():
    runs = np.array([[0.1, 0.15], [0.2, 0.15], [0.3, 0.3]])
    assert np.ptp(task_means(runs)) == 0


def test_a_reference_is_the_first_label_of_its_method(over_tasks):
    run = over_tasks({label: [0.5] for label in ("none", "b", "a", "trivialaugment", "mine")})
    methods = {"a": "none", "b": "random_policy", "trivialaugment": "adda"}
    assert first_references(replace(run, methods=methods)) == ["none", "b"]
    assert first_references(replace(run, methods=methods | {"none": "dada"})) == ["a", "b"]


def test_hours_of_several_devices_do_not_compare(trial, gather):
    run = gather(
        trial("none", 0, [POINT], device="cpu"),
        trial("mine", 0, [POINT], device="gpu"),
        trial("none", 0, [POINT], task="other"),
        trial("mine", 0, [POINT], task="other"),
    )
    assert mixed_devices(run) == ["toy"]
    assert list(comparable_times(run, summary_scores(run)).index) == ["other"]


def test_a_run_without_trials_has_no_scores():
    nothing = results([], [], "nothing")
    assert task_scores(nothing) == {}
    assert first_references(nothing) == []

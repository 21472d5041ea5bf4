from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.frame import results
from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.profiles import profile_table

nan = np.nan


def steps(table, method):
    rows = table[table["method"] == method]
    return list(zip(rows["score"], rows["share"], strict=True))


def test_the_share_at_a_score_is_that_of_runs_with_at_least_it(over_tasks):
    table = profile_table(over_tasks({"none": [[0.5, 0.7, 0.5, 0.9]]}), "task_0")
    assert steps(table, "none") == [(0.5, 1.0), (0.7, 0.5), (0.9, 0.25)]
    assert set(table["n"]) == set(table["planned"]) == {4}
    assert set(table["metric"]) == {"balanced_accuracy"}


def test_methods_stand_in_the_order_of_legends_with_their_styles(over_tasks):
    table = profile_table(
        over_tasks({"none": [[0.5]], "adda": [[0.7]], "augnet": [[0.6]]}), "task_0"
    )
    assert list(table["method"]) == ["augnet", "none", "adda"]
    assert list(table["colour"]) == [METHOD_STYLES[name].colour for name in table["method"]]


def test_a_failed_run_is_not_counted_but_told(over_tasks):
    run = over_tasks({"none": [[0.5, nan, 0.6]]}, chance=0.1)
    (first, _) = profile_table(run, "task_0").to_dict("records")
    assert (first["score"], first["share"], first["n"], first["planned"]) == (0.5, 1.0, 2, 3)
    table = profile_table(impute_failed(run), "task_0")
    assert steps(table, "none") == [
        (0.1, 1.0),
        (0.5, pytest.approx(2 / 3)),
        (0.6, pytest.approx(1 / 3)),
    ]
    assert set(table["imputed"]) == {1}
    assert set(table["n"]) == {3}


def test_a_method_without_a_run_has_a_row_without_a_score(over_tasks):
    table = profile_table(over_tasks({"none": [[0.5, 0.6]], "mine": [[nan, nan]]}), "task_0")
    (row,) = table[table["method"] == "mine"].to_dict("records")
    assert np.isnan(row["score"])
    assert np.isnan(row["share"])
    assert (row["n"], row["planned"]) == (0, 2)


def test_a_task_without_any_run_has_no_profile(over_tasks):
    assert profile_table(over_tasks({"none": [[nan]]}), "task_0").empty


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(over_tasks, seed):
    run = over_tasks({"none": [[0.5, 0.7, 0.6]], "mine": [[0.6, nan, 0.6]]})
    random = np.random.default_rng(seed)
    shuffled = results(
        *(t.sample(frac=1, random_state=random) for t in (run.points, run.trials)), "toys"
    )
    pd.testing.assert_frame_equal(profile_table(shuffled, "task_0"), profile_table(run, "task_0"))


def test_the_chance_level_is_there_where_it_is_known(over_tasks):
    run = over_tasks({"none": [[0.5]]})
    assert profile_table(run, "task_0")["chance"].isna().all()
    assert set(profile_table(replace(run, chance={"task_0": 0.2}), "task_0")["chance"]) == {0.2}

from dataclasses import replace

import numpy as np
import pytest

from augbench.analysis.tables.curves import curves
from augbench.analysis.tables.panels import (
    HOUR_AXES,
    WALL_AXES,
    panel_table,
    readable_unit,
    same_readings,
)
from augbench.datasets.errors import UserError


@pytest.mark.parametrize(
    ("axis", "largest", "unit"),
    [
        ("hours_full", 30.0, "hours"),
        ("hours_full", 2.0, "hours"),
        ("hours_paper", 1.9, "minutes"),
        ("hours_paper", 0.05, "minutes"),
        ("hours_paper", 0.04, "seconds"),
        ("hours_paper", float("nan"), "hours"),
        ("forward_full", 1500.0, "samples"),
        ("forward_full", 3e4, "thousand samples"),
        ("backward_full", 3e6, "million samples"),
        ("backward_full", 3e9, "billion samples"),
    ],
)
def test_the_unit_fits_the_largest_value(axis, largest, unit):
    assert readable_unit(axis, largest)[0] == unit


def test_x_is_in_the_unit_that_the_table_names(trial, gather):
    run = gather(trial("none", 0, [(0.5, 0.1, 0.25, 0.5), (0.6, 0.2, 0.5, 1.0)]))
    table = panel_table(run, "toy", HOUR_AXES)
    assert set(table["unit"]) == {"minutes"}
    assert table.loc[table["axis"] == "hours_paper", "x"].tolist() == [15, 30]
    assert table.loc[table["axis"] == "hours_full", "x"].tolist() == [30, 60]


def test_the_curves_are_those_of_the_task(grid):
    run = grid(3, 3, 2)
    table = panel_table(run, "task_1", ("forward_full",))
    expected = curves(run, "forward_full").query("task == 'task_1'")
    assert set(table["task"]) == {"task_1"}
    assert table["method"].tolist() == expected["method"].tolist()
    np.testing.assert_array_equal(table["median"], expected["median"])
    factor = readable_unit("forward_full", expected["x"].max())[1]
    np.testing.assert_array_equal(table["x"], expected["x"] * factor)


def test_a_method_without_points_has_a_row_that_says_so(trial, gather):
    run = gather(
        trial("augnet", 0, [(0.5, 0.1, 1, 1)]),
        trial("adda", 0, [], state="waiting"),
        trial("adda", 1, [], state="done"),
    )
    adda = panel_table(run, "toy", ("hours_full",)).set_index("method").loc["adda"]
    assert adda[["n", "done", "planned"]].tolist() == [0, 0, 2]
    assert np.isnan(adda["x"])
    assert not adda["marker"]


def test_a_methods_style_does_not_depend_on_who_has_points_or_which_task(trial, gather):
    run = gather(
        trial("a", 0, [], task="one", state="waiting"),
        trial("b", 0, [(0.5, 0.1, 1, 1)], task="one"),
        trial("b", 0, [(0.5, 0.1, 1, 1)], task="two"),
    )
    for task in ("one", "two"):
        table = panel_table(run, task, HOUR_AXES)
        assert set(table.loc[table["method"] == "b", "style"]) == {1}


def test_trials_on_a_shared_gpu_are_counted_as_left_out(trial, gather):
    run = gather(trial("a", 0, [(0.5, 0.1, 1, 1)]), trial("a", 1, [(0.5, 0.3, 1, 1)], shared=True))
    table = panel_table(run, "toy", ("hours_full",))
    assert table[["n", "left_out"]].values.tolist() == [[1, 1]]
    table = panel_table(run, "toy", ("hours_full",), include_shared=True)
    assert table[["n", "left_out"]].values.tolist() == [[2, 0]]
    assert set(panel_table(run, "toy", ("forward_full",))["left_out"]) == {0}


def test_an_unknown_task_is_named(grid):
    with pytest.raises(UserError, match="unknown task 'task_9'; did you mean 'task_0'"):
        panel_table(grid(1, 1), "task_9", HOUR_AXES)


def test_a_reference_is_what_a_method_is_whatever_its_label(trial, gather):
    run = gather(*(trial(name, 0, [(0.5, 0.1, 1, 1)]) for name in ("plain", "none", "adda")))
    run = replace(run, methods={"plain": "trivialaugment", "none": "augnet", "adda": "adda"})
    table = panel_table(run, "toy", HOUR_AXES).set_index("method")["is_reference"]
    assert table["plain"].all()
    assert not table["none"].any()
    assert not table["adda"].any()


def test_chance_is_empty_where_it_is_not_known(trial, gather):
    run = gather(trial("none", 0, [(0.5, 0.1, 1, 1)]))
    assert panel_table(run, "toy", HOUR_AXES)["chance"].isna().all()
    run = replace(run, chance={"toy": 0.2, "other": 0.3})
    assert set(panel_table(run, "toy", HOUR_AXES)["chance"]) == {0.2}


def test_each_method_names_its_device_where_the_task_has_several(trial, gather):
    point = [(0.5, 0.1, 1, 1)]
    run = gather(
        trial("a", 0, point),
        trial("a", 1, point, device="gpu"),
        trial("b", 0, point),
        trial("c", 0, [], state="waiting"),
        trial("a", 0, point, task="other"),
    )
    table = panel_table(run, "toy", HOUR_AXES)
    devices = dict(zip(table["method"], table["own_device"], strict=True))
    assert devices == {"a": "cpu and gpu", "b": "cpu", "c": ""}
    assert set(table["device"]) == {"cpu and gpu"}
    assert set(panel_table(run, "other", HOUR_AXES)["own_device"]) == {""}


def test_readings_are_the_same_where_they_are_for_all_methods_but_for_rounding(trial, gather):
    alike = trial("none", 0, [(0.5, 0.1, 1, 1 + 1e-9), (0.6, 0.2, 2, 2)])
    other = trial("adda", 0, [(0.5, 0.1, 1, 1), (0.6, 0.2, 2, 3)])
    hours = panel_table(gather(alike), "toy", HOUR_AXES)
    assert same_readings(hours, "hours")
    assert not same_readings(hours, "forward")  # not in this table
    assert not same_readings(panel_table(gather(alike, other), "toy", HOUR_AXES), "hours")
    empty = panel_table(gather(trial("none", 0, [], state="waiting")), "toy", HOUR_AXES)
    assert not same_readings(empty, "hours")


def test_a_point_that_counts_in_one_reading_alone_makes_them_differ(trial, gather):
    shared = [(0.5, 0.1, 1, 1), (0.6, 0.2, 2, 2)]
    three = [*shared, (0.7, 0.3, 2, 3)]
    table = panel_table(gather(trial("none", 0, three)), "toy", HOUR_AXES)
    assert not same_readings(table, "hours")


def test_what_crashes_cost_stands_beside_the_curve_and_not_in_it(trial, gather):
    trials = [trial("none", fold, [(0.5, 0.1, 1, 1)]) for fold in (0, 1)]
    for keys, _ in trials:
        keys["wasted_seconds"] = 30.0
    table = panel_table(gather(*trials, trial("adda", 0, [(0.5, 0.1, 1, 1)])), "toy", WALL_AXES)
    rows = table.set_index("method")
    assert rows.loc["none", ["x", "lost_seconds"]].tolist() == [75.0, 60.0]  # 1.25 hours
    assert rows.loc["adda", ["x", "lost_seconds"]].tolist() == [75.0, 0.0]


def test_a_table_of_intervals_has_its_own_columns(grid):
    table = panel_table(grid(2, 5), "task_0", HOUR_AXES, band="iqm")
    assert {"iqm", "low", "high"} < set(table)
    assert not {"median", "q1", "q3"} & set(table)
    assert (table["low"] <= table["iqm"]).all()

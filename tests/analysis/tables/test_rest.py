"""Whether layers have come to rest: curves whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from augbench.analysis.tables.rest import COLUMNS, TOLERANCE, moved_at_the_end, rest_table


def test_a_constant_end_has_not_moved_and_a_line_has() -> None:
    arrived = np.minimum(np.linspace(0, 2, 20), 1.0)
    assert moved_at_the_end(arrived) == 0.0
    line = np.arange(1.0, 41.0) / 40
    assert moved_at_the_end(line) == pytest.approx(0.25)


def test_what_trembles_about_a_value_is_at_rest() -> None:
    noise = 0.01 * np.random.default_rng(0).normal(size=80)
    assert moved_at_the_end(0.5 + noise) < TOLERANCE


def test_what_still_rises_at_a_hundredth_of_its_size_an_epoch_is_not() -> None:
    assert moved_at_the_end(0.3 + 0.005 * np.arange(20)) > TOLERANCE


def test_zeros_have_not_moved() -> None:
    assert moved_at_the_end(np.zeros(20)) == 0.0


def test_the_table_looks_at_the_selected_transform_of_each_layer() -> None:
    labels = {"task": "t", "method": "m", "fold": 0, "seed": 0, "layer": 1, "unit": "degrees"}
    records = []
    for step in range(1, 21):
        for name, weight, magnitude in (("rotate", 0.9, 0.25), ("shear_x", 0.1, step / 20)):
            row = {"transform": name, "weight": weight, "magnitude": magnitude, "step": step}
            records.append({**labels, **row, "value": 180 * magnitude})
    table = rest_table(pd.DataFrame(records))
    assert tuple(table.columns) == COLUMNS
    (row,) = table.to_dict("records")
    assert (row["transform"], row["value"], row["moved"]) == ("rotate", 45.0, 0.0)


def test_a_selection_that_still_moves_is_no_rest() -> None:
    labels = {"task": "t", "method": "m", "fold": 0, "seed": 0, "layer": 1, "unit": "degrees"}
    records = [
        {**labels, "transform": "rotate", "weight": 0.5 + step / 40, "magnitude": 0.25}
        | {"step": step, "value": 45.0}
        for step in range(1, 21)
    ]
    assert rest_table(pd.DataFrame(records))["moved"].item() > TOLERANCE


def test_a_trial_that_has_hardly_begun_has_no_row() -> None:
    row = {"task": "t", "method": "m", "fold": 0, "seed": 0, "layer": 1, "unit": "degrees"}
    row |= {"transform": "rotate", "weight": 1.0, "magnitude": 0.25, "value": 45.0}
    assert rest_table(pd.DataFrame([{**row, "step": step} for step in (1, 2, 3)])).empty


def test_the_main_arm_of_mario_iggy_comes_to_rest() -> None:
    """The rotation on fold 0, epoch by epoch, as the suite ran it; 320 steps of 5e-4 do not."""
    measured = [0.110, 0.163, 0.215, 0.253, 0.259, 0.258, 0.259, 0.266, 0.270, 0.257, 0.262, 0.268]
    assert moved_at_the_end(np.array(measured)) < TOLERANCE
    too_short = np.array([0.125 + 16 * 5e-4 * epoch for epoch in range(1, 21)])
    assert moved_at_the_end(too_short) > 5 * TOLERANCE

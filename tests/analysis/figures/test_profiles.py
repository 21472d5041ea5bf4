import io

import matplotlib
import numpy as np
import pandas as pd
import pytest

from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.figures.profiles import profile_figure
from augbench.analysis.styles import METHOD_STYLES
from augbench.analysis.tables.imputed import impute_failed
from augbench.analysis.tables.profiles import profile_table

nan = np.nan


@pytest.fixture
def table(over_tasks):
    run = over_tasks({"none": [[0.5, 0.7, 0.5]], "adda": [[0.6, 0.8, nan]]}, chance=0.1)
    return profile_table(run, "task_0")


def words(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def curves(figure):
    return [line for line in figure.axes[0].get_lines() if line.get_drawstyle() == "steps-pre"]


def test_a_curve_falls_behind_each_score_and_has_the_look_of_its_method(table):
    none, adda = curves(profile_figure(table))
    np.testing.assert_allclose(none.get_xydata(), [(0.5, 1), (0.7, 1 / 3), (0.7, 0)])
    np.testing.assert_allclose(adda.get_xydata(), [(0.6, 1), (0.8, 1 / 2), (0.8, 0)])
    assert none.get_color() == METHOD_STYLES["none"].colour
    assert adda.get_color() == METHOD_STYLES["adda"].colour


def test_the_legend_says_which_runs_are_missing(table, over_tasks):
    text = words(profile_figure(table))
    assert "adda (2 of 3 runs)" in text
    assert "none" in text
    assert "3 runs each" in text
    run = over_tasks({"none": [[0.5]], "mine": [[nan]]})
    assert "mine (0 of 1 runs)" in words(profile_figure(profile_table(run, "task_0")))


def test_failed_runs_at_chance_are_marked_and_chance_is_a_line(over_tasks):
    run = impute_failed(over_tasks({"none": [[0.5, nan]]}, chance=0.1))
    figure = profile_figure(profile_table(run, "task_0"))
    assert "none\n(1 failed, at chance)" in words(figure)
    assert "chance: 0.1" in words(figure)
    assert [0.1, 0.1] in [list(line.get_xdata()) for line in figure.axes[0].get_lines()]


def test_chance_far_below_all_runs_does_not_squeeze_them(table):
    figure = profile_figure(table)
    assert not any("chance" in word for word in words(figure))
    assert figure.axes[0].get_xlim()[0] > 0.45


def test_one_run_is_a_drop_at_its_score(over_tasks):
    figure = profile_figure(profile_table(over_tasks({"none": [[0.5]]}), "task_0"))
    low, high = figure.axes[0].get_xlim()
    assert low < 0.5 < high
    assert png(figure)
    assert "1 run each" in words(figure)


def test_many_runs_have_few_markers(over_tasks):
    run = over_tasks({"none": [np.linspace(0.2, 0.8, 95)]})
    lines = profile_figure(profile_table(run, "task_0")).axes[0].get_lines()
    (marks,) = (line for line in lines if line.get_linestyle() == "None")
    assert len(marks.get_xdata()) == 10


def test_the_csv_holds_all_that_is_drawn(table):
    text = io.StringIO(table.to_csv(index=False))
    again = pd.read_csv(text, float_precision="round_trip")
    assert svg(profile_figure(again)) == svg(profile_figure(table))


def test_the_legend_does_not_cover_the_panel(over_tasks):
    scores = {f"method number {k}": [[0.5 + 0.01 * k]] for k in range(14)}
    figure = profile_figure(profile_table(over_tasks(scores), "task_0"))
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert legend.x0 >= figure.axes[0].get_window_extent().x1
    assert legend.y0 >= 0

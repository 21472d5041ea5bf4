import io
from dataclasses import replace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.image import imread

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.styles import METHOD_STYLES, method_styles

pytestmark = pytest.mark.parametrize("drawing", FIGURES.values(), ids=FIGURES.keys())


def words(figure):
    """All text of a figure, and of its legend."""
    texts = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
    return "\n".join(text for text in texts if text)


def lines(figure, panel=0):
    return [line for line in figure.axes[panel].get_lines() if line.get_linestyle() != "None"]


def test_the_picture_opens_and_is_not_blank(drawing, grid):
    image = imread(io.BytesIO(png(drawing.draw(drawing.table(grid(3, 3), "task_0")))), "png")
    height, width, _ = image.shape
    assert width > height > 300
    styles = method_styles({f"method_{k}": "" for k in range(3)})
    colours = {matplotlib.colors.to_rgb(style.colour) for style in styles.values()}
    for colour in colours:  # each of three methods has left ink
        assert (np.abs(image[..., :3] - colour).max(axis=-1) < 0.02).sum() > 200


def test_axes_methods_and_task_are_named(drawing, grid):
    figure = drawing.draw(drawing.table(grid(3, 3), "task_0"))
    text = words(figure)
    for word in ("task_0", "method_0", "method_1", "method_2", "of 3 trials"):
        assert word in text
    assert "test balanced accuracy\nat best validation so far" in text
    expected = {
        "hours_paper": ("paper reading", "device hours (cpu)"),
        "hours_full": ("full reading", "device hours (cpu)"),
        "forward_paper": ("paper reading", "thousand samples forward"),
        "forward_full": ("full reading", "thousand samples forward"),
        "backward_paper": ("paper reading", "thousand samples backward"),
        "backward_full": ("full reading", "thousand samples backward"),
        "step": ("epochs of the method", "epochs"),
        "hours_wall": ("all work of a trial", "wall-clock hours (cpu)"),
    }
    for panel, axis in zip(figure.axes, drawing.axes, strict=True):
        title, label = expected[axis]
        assert panel.get_title(loc="left").startswith(title)
        assert panel.get_xlabel() == label


def test_lines_bands_and_markers_are_those_of_the_table(drawing, grid):
    table = drawing.table(grid(2, 3), "task_0")
    figure = drawing.draw(table)
    for panel, axis in zip(figure.axes, drawing.axes, strict=True):
        curves = [rows for _, rows in table[table["axis"] == axis].groupby("style")]
        steps = [line for line in panel.get_lines() if line.get_drawstyle() == "steps-post"]
        marks = [line for line in panel.get_lines() if line.get_linestyle() == "None"]
        assert len(steps) == len(marks) == len(panel.collections) == len(curves) == 2
        for rows, line, mark, band in zip(curves, steps, marks, panel.collections, strict=True):
            np.testing.assert_array_equal(line.get_xydata(), rows[["x", "median"]])
            marked = rows.loc[rows["marker"], ["x", "median"]]
            np.testing.assert_array_equal(mark.get_xydata(), marked)
            box = band.get_paths()[0].get_extents()
            assert (box.x0, box.x1) == (rows["x"].min(), rows["x"].max())
            assert (box.y0, box.y1) == pytest.approx((rows["q1"].min(), rows["q3"].max()))


def test_an_unfinished_run_says_how_much_of_it_is_done(drawing, trial, gather):
    points = [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 3)]
    run = gather(
        trial("augnet", 0, points),
        trial("augnet", 1, points[:1], state="running"),
        trial("adda", 0, [], state="waiting"),
    )
    figure = drawing.draw(drawing.table(run, "toy"))
    assert figure.get_suptitle() == "toy, 1 of 3 trials done"
    text = words(figure)
    assert "augnet (1 of 2 done)" in text
    assert "adda (0 of 1 done)" in text
    assert "dotted" in text
    assert [line.get_linestyle() for line in lines(figure)] == ["-", ":"]


def test_a_finished_run_carries_no_count(drawing, grid):
    assert drawing.draw(drawing.table(grid(1, 2), "task_0")).get_suptitle() == "task_0"


def test_no_points_at_all_is_said_in_every_panel(drawing, grid, trial, gather):
    run = gather(*(trial("augnet", fold, [], state="waiting") for fold in range(3)))
    figure = drawing.draw(drawing.table(run, "toy"))
    assert figure.get_suptitle() == "toy, 0 of 3 trials done"
    for panel in figure.axes:
        assert [text.get_text() for text in panel.texts] == ["no point scored yet"]
    assert len(png(figure)) > 1000


def test_one_method_with_one_point_is_a_marker_with_whiskers(drawing, trial, gather):
    run = gather(*(trial("none", fold, [(0.5, 0.1 * fold, 1, 1)]) for fold in range(3)))
    figure = drawing.draw(drawing.table(run, "toy"))
    for panel in figure.axes:
        whisker = panel.collections[-1].get_paths()[0].vertices
        np.testing.assert_allclose(whisker[:, 1], [0.05, 0.15])
        low, high = panel.get_ylim()
        assert low < 0.05 < 0.15 < high


def test_seven_methods_five_folds_and_two_tasks_keep_their_colours(drawing, grid):
    run = grid(7, 5, 2)
    styles = method_styles({f"method_{k}": "" for k in range(7)})
    colours = [styles[f"method_{k}"].colour for k in range(7)]
    for task in ("task_0", "task_1"):
        figure = drawing.draw(drawing.table(run, task))
        for panel in range(len(figure.axes)):
            assert [line.get_color() for line in lines(figure, panel)] == colours
        assert len(png(figure)) > 10_000


def test_colours_and_shapes_together_tell_many_methods_apart(drawing, grid):
    figure = drawing.draw(drawing.table(grid(24, 1), "task_0"))
    handles = figure.legends[0].legend_handles
    assert len({(handle.get_color(), handle.get_marker()) for handle in handles}) == 24


def test_the_same_data_give_the_same_svg_without_a_date(drawing, grid):
    first, second = (svg(drawing.draw(drawing.table(grid(3, 3), "task_0"))) for _ in range(2))
    assert first == second
    assert b"date" not in first
    assert b"method_2" in first


def test_the_csv_holds_all_that_is_drawn(drawing, grid):
    table = drawing.table(grid(3, 3), "task_0")
    text = io.StringIO(table.to_csv(index=False))
    again = pd.read_csv(text, float_precision="round_trip")
    assert svg(drawing.draw(again)) == svg(drawing.draw(table))


def test_drawing_leaves_pyplot_and_the_settings_alone(drawing, grid):
    before, figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    svg(drawing.draw(drawing.table(grid(2, 2), "task_0")))
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == figures


def test_x_is_logarithmic_only_where_the_curves_span_much(drawing, trial, gather):
    for last, scale in ((10, "linear"), (100, "log")):
        trials, points = trial("augnet", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, last, last)])
        points[-1]["step"] = last
        run = gather((trials, points))
        panel = drawing.draw(drawing.table(run, "toy")).axes[0]
        assert panel.get_xscale() == scale


def test_the_climb_from_chance_does_not_flatten_the_ends(drawing, trial, gather):
    climb = [(0.1 * k, 0.1 * k, k, k) for k in range(1, 9)]
    run = gather(trial("a", 0, climb), trial("b", 0, [(0.5, 0.7, 3, 3)]))
    low, high = drawing.draw(drawing.table(run, "toy")).axes[0].get_ylim()
    assert 0.55 < low < 0.65  # ends are at .7 and .8; as much again below
    assert 0.8 < high < 0.85


def test_curves_that_end_level_are_not_out_of_the_picture(drawing, trial, gather):
    climb = [(0.1 * k, 0.1 * k, k, k) for k in range(1, 10)]
    run = gather(trial("a", 0, climb), trial("b", 0, climb))
    low, high = drawing.draw(drawing.table(run, "toy")).axes[0].get_ylim()
    assert 0.78 < low <= 0.8  # from where the last tenth began
    assert 0.9 < high < 0.92
    run = gather(trial("a", 0, [(0.5, 0.88, 1, 1), (0.6, 0.9, 2, 2)]))
    low, high = drawing.draw(drawing.table(run, "toy")).axes[0].get_ylim()
    assert 0.87 < low < 0.88 < 0.9 < high < 0.91  # all of a curve that climbs less than that


def test_no_accuracy_above_1_is_on_the_axis(drawing, trial, gather):
    for points in ([(1.0, 1.0, 1, 1)], [(0.5, 0.4, 1, 1), (1.0, 1.0, 2, 2)], [(0.9, 0.99, 1, 1)]):
        panel = drawing.draw(drawing.table(gather(trial("a", 0, points)), "toy")).axes[0]
        low, high = panel.get_ylim()
        assert high > points[-1][1]
        assert all(tick <= 1 for tick in panel.get_yticks() if low <= tick <= high)


def test_timings_on_a_shared_gpu_are_left_out_of_hours_and_counted(drawing, trial, gather):
    run = gather(
        trial("a", 0, [(0.5, 0.1, 1, 1)], device="gpu"),
        trial("a", 1, [(0.5, 0.3, 1, 1)], device="gpu", shared=True),
    )
    title = drawing.draw(drawing.table(run, "toy")).get_suptitle()
    hours = drawing.axes[0].startswith("hours")
    assert title == ("toy, 1 of 2 left out (shared GPU)" if hours else "toy")
    run = gather(trial("a", 1, [(0.5, 0.3, 1, 1)], device="gpu", shared=True))
    text = words(drawing.draw(drawing.table(run, "toy")))
    assert ("no timings: 1 trial shared their GPU" in text) is hours


def test_the_best_reference_and_chance_are_level_lines(drawing, trial, gather):
    ends = {"augnet": 0.8, "none": 0.6, "trivialaugment": 0.7}
    run = gather(*(trial(name, 0, [(0.5, end, 1, 1)]) for name, end in ends.items()))
    run = replace(run, chance={"toy": 0.25})
    figure = drawing.draw(drawing.table(run, "toy"))
    for panel in figure.axes:
        levels = [line for line in panel.get_lines() if list(line.get_xdata()) == [0, 1]]
        assert [line.get_ydata()[0] for line in levels] == [0.7, 0.25]
        assert levels[0].get_color() == METHOD_STYLES["trivialaugment"].colour
    text = words(figure)
    assert "best reference: trivialaugment" in text
    assert "chance: 0.25" in text


def test_a_chance_level_below_the_panel_says_so(drawing, trial, gather):
    points = [(0.5, 0.70 + k / 1000, k + 1, k + 1) for k in range(9)]
    run = gather(trial("none", 0, points), trial("augnet", 0, points))
    for chance, label in ((0.1, "chance: 0.1, below"), (0.704, "chance: 0.704")):
        figure = drawing.draw(drawing.table(replace(run, chance={"toy": chance}), "toy"))
        assert label in words(figure).splitlines()


def test_one_trial_each_has_no_median(drawing, trial, gather):
    run = gather(*(trial(name, 0, [(0.5, 0.6, 1, 1)]) for name in ("augnet", "none")))
    text = words(drawing.draw(drawing.table(run, "toy")))
    assert "1 trial each" in text
    assert "median" not in text


def test_a_reference_alone_is_compared_with_nothing(drawing, trial, gather):
    run = gather(trial("none", 0, [(0.5, 0.6, 1, 1)]))
    text = words(drawing.draw(drawing.table(run, "toy")))
    assert "best reference" not in text
    assert "chance" not in text


def test_equal_readings_are_one_panel_that_says_so(drawing, trial, gather):
    run = gather(
        trial("none", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 2)]), trial("augnet", 0, [], known=2)
    )
    table = drawing.table(run, "toy")
    figure = drawing.draw(table)
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    kinds = {axis.rpartition("_")[0] for axis in drawing.axes if axis.endswith("_paper")}
    assert len(titles) == max(1, len(kinds))
    assert all((title == "both readings are the same") is bool(kinds) for title in titles)
    other = gather(trial("none", 0, [(0.5, 0.4, 1, 1), (0.6, 0.5, 2, 3)]))
    assert len(drawing.draw(drawing.table(other, "toy")).axes) == len(drawing.axes)


def test_a_table_of_intervals_says_what_its_lines_and_bands_are(drawing, grid):
    table = drawing.table(grid(2, 5), "task_0", band="iqm")
    figure = drawing.draw(table)
    assert "interquartile mean,\n95 % bootstrap interval\nof 5 trials each" in words(figure)
    rows = [each for _, each in table[table["axis"] == drawing.axes[0]].groupby("style")]
    for own, line in zip(rows, lines(figure), strict=False):
        np.testing.assert_array_equal(line.get_xydata(), own[["x", "iqm"]])
    few = drawing.draw(drawing.table(grid(2, 3), "task_0", band="iqm"))
    assert "(no interval:\nit needs 5 folds,\nor as many seeds of one)" in words(few)
    low, high = few.axes[0].get_ylim()
    assert low < high
    assert len(png(few)) > 10_000


def test_what_was_wasted_is_named_on_the_wall_axis_alone(drawing, trial, gather):
    keys, rows = trial("none", 0, [(0.5, 0.4, 1, 1)])
    keys["wasted_seconds"] = 12.3
    title = drawing.draw(drawing.table(gather((keys, rows)), "toy")).get_suptitle()
    wall = drawing.axes == ("hours_wall",)
    assert title == ("toy, without 12 s that were wasted" if wall else "toy")


def test_a_run_without_wall_times_still_has_its_figures(drawing, trial, gather):
    keys, rows = trial("none", 0, [(0.5, 0.4, 1, 1)])
    del rows[0]["hours_wall"]
    figure = drawing.draw(drawing.table(gather((keys, rows)), "toy"))
    said = "the wall time of these points is not known" in words(figure)
    assert said is (drawing.axes == ("hours_wall",))

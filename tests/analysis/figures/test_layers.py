import io

import matplotlib
import numpy as np
import pandas as pd
import pytest

from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.figures.layers import (
    MOST_LAYERS,
    MOST_NAMED,
    layer_figure,
    operation_strokes,
)
from augbench.analysis.tables.layers import LAYER_TABLE
from augbench.methods.transforms import EEG, IMAGE

UNITS = {"rotate": "degrees", "shear_x": "pixels a pixel", "rotation": "degrees"}
UNITS |= {"translation_x": "share of the width", "translation_y": "share of the height"}


def layer(weights, *, method="augnet", number=1, folds=2, steps=4, chosen=3):
    """A layer whose weights, by operation, are the same at all epochs; values are 10 x epoch."""
    rows = [
        ("toy", method, fold, 0, number, name, unit, step, weight, value, step == chosen)
        for fold in range(folds)
        for step in range(1, steps + 1)
        for name, weight in weights.items()
        for unit, value in [(UNITS.get(name, "samples"), 10.0 * step + fold)]
    ]
    return pd.DataFrame(rows, columns=list(LAYER_TABLE))


def words(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()]


def thick(panel):
    return [line for line in panel.get_lines() if line.get_zorder() == 3]


def test_weights_and_magnitudes_are_drawn_with_medians_trials_and_chosen_epochs():
    figure = layer_figure(layer({"rotate": 0.7, "shear_x": 0.3}, folds=3))
    weights, degrees = figure.axes
    assert weights.get_title(loc="left") == "augnet, layer 1"
    assert (weights.get_ylabel(), degrees.get_ylabel()) == ("weight", "degrees")
    assert degrees.get_title(loc="right") == "rotate"
    assert [set(line.get_ydata()) for line in thick(weights)] == [{0.7}, {0.3}]
    (median,) = thick(degrees)  # shear_x never has half of the weight
    np.testing.assert_array_equal(median.get_xydata(), [[k, 10 * k + 1] for k in range(1, 5)])
    marks = [line for line in degrees.get_lines() if line.get_marker() == "o"]
    assert [line.get_xydata().tolist() for line in marks] == [[[3, 30], [3, 31], [3, 32]]]
    (thin,) = (line for line in degrees.get_lines() if line.get_zorder() == 2)
    y = np.asarray(thin.get_ydata())
    assert y[np.isfinite(y)].tolist() == [10 * k + fold for fold in range(3) for k in range(1, 5)]
    assert "toy: weights and magnitudes of layers, 3 trials" in words(figure)


def test_operations_of_little_weight_are_grey_and_the_legend_says_so():
    many = {f"operation_{k}": 0.01 for k in range(10)}
    figure = layer_figure(layer({**many, "rotate": 0.9}))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["rotate", "others, below 0.1"]
    assert len(figure.axes) == 2
    only = layer_figure(layer({"rotate": 1.0}))
    assert [text.get_text() for text in only.legends[0].get_texts()] == ["rotate"]


def test_of_many_large_operations_the_largest_have_names():
    weights = {f"operation_{k}": 0.11 + 0.001 * k for k in range(13)}
    legend = layer_figure(layer(weights)).legends[0]
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [f"operation_{k}" for k in range(13 - MOST_NAMED, 13)] + ["others, below 0.1"]


def test_each_layer_of_each_method_has_a_row_and_units_have_panels():
    table = pd.concat(
        [
            layer({"rotate": 0.6, "shear_x": 0.4}, number=1),
            layer({"rotate": 0.5, "shear_x": 0.5}, number=2),
            layer(
                {"translation_x": 1.0, "translation_y": 1.0, "rotation": 1.0, "shear": 1.0},
                method="augerino",
            ),
        ],
        ignore_index=True,
    )
    figure = layer_figure(table)
    titles = [panel.get_title(loc="left") for panel in figure.axes]
    assert [title for title in titles if title] == [
        "augnet, layer 1",
        "augnet, layer 2",
        "augerino, layer 1",
    ]
    labels = [panel.get_ylabel() for panel in figure.axes]
    assert labels == [
        *("weight", "degrees"),
        *("weight", "degrees", "pixels a pixel"),
        *("weight", "share of the side", "degrees", "samples"),
    ]


def test_more_layers_than_fit_are_counted():
    tables = [layer({"rotate": 1.0}, method=f"method {k}") for k in range(MOST_LAYERS + 2)]
    figure = layer_figure(pd.concat(tables, ignore_index=True))
    assert len(figure.axes) == 2 * MOST_LAYERS
    assert f"{MOST_LAYERS} of {MOST_LAYERS + 2} layers" in figure.get_suptitle()


@pytest.mark.parametrize("folds", [1, 2])
def test_trials_that_are_not_as_far_or_lack_an_operation_are_drawn(folds):
    table = layer({"rotate": 0.9, "shear_x": 0.1}, folds=folds)
    late = table[(table["fold"] == 0) | (table["step"] < 3)]
    late = late[(late["fold"] == 0) | (late["transform"] == "rotate")]
    figure = layer_figure(late)
    (median,) = thick(figure.axes[1])
    assert median.get_ydata().tolist() == [10, 20, 30, 40]  # of the trial that is as far as any
    assert len(png(figure)) > 5_000


def test_the_same_table_gives_the_same_bytes_also_from_its_file():
    table = layer({"rotate": 0.7, "shear_x": 0.3})
    again = pd.read_csv(io.StringIO(table.to_csv(index=False)), float_precision="round_trip")
    assert svg(layer_figure(table)) == svg(layer_figure(again))


def test_operations_of_one_kind_of_signal_all_look_different():
    for table in (EEG, IMAGE):
        strokes = operation_strokes(table)
        assert len({(each.colour, each.dashes) for each in strokes.values()}) == len(table)
    assert {stroke.dashes for stroke in operation_strokes("abcdefgh").values()} == {"-"}


@pytest.mark.parametrize("n_layers", [1, MOST_LAYERS])
def test_the_title_covers_no_panel_however_tall_the_figure_is(n_layers):
    tables = [layer({"rotate": 1.0}, method=f"method {k}") for k in range(n_layers)]
    figure = layer_figure(pd.concat(tables, ignore_index=True))
    figure.canvas.draw()
    title = figure._suptitle.get_window_extent()
    for panel in figure.axes:
        assert not title.overlaps(panel.get_tightbbox())
    assert title.y1 <= figure.bbox.y1


@pytest.mark.parametrize("folds", [1, 2])
def test_the_legend_speaks_of_medians_where_there_are_several_trials(folds):
    text = "\n".join(words(layer_figure(layer({"rotate": 1.0}, folds=folds))))
    assert "marker: the epoch of best" in text
    assert ("thick: median" in text) is ("thin: each trial" in text) is (folds > 1)

import matplotlib
import numpy as np
import pandas as pd

from augbench.analysis.figures.image_files import png
from augbench.analysis.figures.policies import MOST_COLUMNS, policy_figure
from augbench.analysis.tables.policy_folds import POLICY_FOLD_TABLE


def folds_of(*methods, names=("flip", "noise"), folds=3):
    rows = [
        ("toy", method, name, fold, 1, 0.1 * (place + 1) * (fold + 1))
        for method in methods
        for place, name in enumerate(names)
        for fold in range(folds)
    ]
    return pd.DataFrame(rows, columns=list(POLICY_FOLD_TABLE))


def test_operations_are_down_and_the_folds_of_each_method_across():
    figure = policy_figure(folds_of("adda", "dada"))
    panel = figure.axes[0]
    meshes = [each for each in panel.collections if isinstance(each.get_array(), np.ndarray)]
    for mesh in meshes:
        np.testing.assert_allclose(mesh.get_array().ravel(), [0.1, 0.2, 0.3, 0.2, 0.4, 0.6])
        assert mesh.norm.vmin == 0
        assert mesh.norm.vmax == 0.6000000000000001
    assert len(meshes) == 2
    assert [label.get_text() for label in panel.get_yticklabels()] == ["flip", "noise"]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["0", "1", "2"] * 2
    assert [text.get_text() for text in panel.texts] == ["adda", "dada"]
    assert figure.get_suptitle() == "toy: best policies, fold by fold"


def test_many_methods_and_folds_go_into_several_rows():
    methods = [f"method_{k}" for k in range(9)]
    figure = policy_figure(folds_of(*methods, folds=10))
    panels = [panel for panel in figure.axes if panel.texts]
    assert len(panels) == 3
    assert [text.get_text() for panel in panels for text in panel.texts] == methods
    assert all(len(panel.get_xticks()) <= MOST_COLUMNS for panel in panels)


def test_one_cell_and_policies_that_do_nothing_are_drawn():
    one = folds_of("adda", names=("x" * 100,), folds=1)
    assert len(png(policy_figure(one))) > 3_000
    assert len(png(policy_figure(one.assign(strength=0.0)))) > 3_000


def test_all_texts_lie_within_the_picture():
    figure = policy_figure(folds_of("faster_autoaugment", "y" * 60, names=("x" * 60, "noise")))
    figure.draw_without_rendering()
    box = figure.bbox
    for text in figure.findobj(matplotlib.text.Text):
        if text.get_text() and text.get_visible():
            own = text.get_window_extent()
            corners = (own.x0 - box.x0, own.y0 - box.y0, box.x1 - own.x1, box.y1 - own.y1)
            assert min(corners) >= -1, text.get_text()

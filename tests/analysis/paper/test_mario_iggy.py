import pandas as pd
import pytest

from augbench.analysis.figures.image_files import svg
from augbench.analysis.paper.mario_iggy import (
    ARMS,
    STROKES,
    angle_claims,
    draw_angles,
    draw_operations,
    operation_claims,
)
from augbench.analysis.styles import METHOD_STYLES

AUGERINO = ("augerino", "augerino-script")
NAMES = ("translate_x", "translate_y", "rotate", "shear_x", "shear_y")


def one_selected(name, magnitude, strongest=180.0):
    rest = dict.fromkeys(NAMES, (0.01, 0.4, 0.4 * strongest))
    return rest | {name: (0.96, magnitude, magnitude * strongest)}


def angles(learn, degrees):
    """Final angles by arm, five seeds each, half a degree apart."""
    return pd.concat(
        learn(
            arm,
            {"rotation" if arm in AUGERINO else "rotate": (1.0, 0.0, value + fold / 2)},
            fold=fold,
        )
        for arm, value in degrees.items()
        for fold in range(-2, 3)
    )


AS_THE_PAPER = {
    "augnet": 45.0,
    "augerino": 44.0,
    "augerino-script": 46.0,
    "augnet-no-regularizer": 1.0,
    "augnet-augerino-regularizer": 20.0,
}


def test_what_the_paper_says_holds_where_it_does(learn):
    claims = angle_claims(angles(learn, AS_THE_PAPER))
    assert [claim.holds for claim in claims] == [True] * 5
    assert claims[0].got == (45.0, 44.0, 46.0, 5)


@pytest.mark.parametrize(("arm", "value"), [(arm, 60.0) for arm in AS_THE_PAPER])
def test_an_arm_that_ends_elsewhere_is_said(learn, arm, value):
    value = 45.0 if arm == "augnet-augerino-regularizer" else value
    claims = angle_claims(angles(learn, AS_THE_PAPER | {arm: value}))
    assert [claim.holds for claim in claims].count(False) == 1


def test_an_unfinished_seed_does_not_count(learn):
    table = pd.concat(
        [
            learn("augnet", {"rotate": (1.0, 0.25, 45.0)}),
            learn("augnet", {"rotate": (1.0, 0.0, 0.0)}, fold=1).query("step < 4"),
        ]
    )
    assert angle_claims(table)[0].got == (45.0, 45.0, 45.0, 1)


def test_an_angle_counts_only_where_the_rotation_is_selected(learn):
    table = pd.concat(
        [
            *(learn("augnet", one_selected("rotate", 0.25), fold=fold) for fold in range(5)),
            *(learn("augnet", one_selected("shear_x", 0.3), fold=fold) for fold in range(5, 12)),
            learn("augnet-augerino-regularizer", one_selected("translate_x", 0.0)),
            learn("augnet-augerino-regularizer", one_selected("rotate", 0.25), fold=1),
        ]
    )
    selects, tuned, lost = operation_claims(table)
    assert (selects.got.value, selects.got.n, selects.holds) == (5 / 12, 12, False)
    assert (tuned.got.value, tuned.got.n, tuned.holds) == (45.0, 5, True)
    assert (lost.got.value, lost.got.n, lost.holds) == (0.5, 2, None)  # two seeds decide nothing


def test_no_trial_at_all_can_be_drawn_and_says_nothing(learn):
    empty = learn("augnet", {"rotate": (1.0, 0.25, 45.0)}).iloc[:0]
    assert {claim.holds for claim in (*angle_claims(empty), *operation_claims(empty))} == {None}
    assert svg(draw_angles(empty))
    assert svg(draw_operations(empty))


def test_figure_3_has_a_line_for_each_seed_a_median_and_the_margin(learn):
    panel = draw_angles(angles(learn, AS_THE_PAPER)).axes[0]
    assert len(panel.get_lines()) == 5 * (5 + 1) + 1
    ends = [line.get_ydata()[-1] for line in panel.get_lines()]
    assert {44.0, 45.0, 46.0, 1.0, 20.0} <= set(ends)
    assert list(panel.get_lines()[-1].get_ydata()) == [45.0, 45.0]


def test_figure_4_has_weights_and_magnitudes_of_both_regularizers(learn):
    table = pd.concat(
        [
            learn("augnet", one_selected("rotate", 0.25)),
            learn("augnet-augerino-regularizer", one_selected("translate_x", 0.0)),
        ]
    )
    figure = draw_operations(table)
    assert [panel.get_ylabel() for panel in figure.axes] == ["weight", "magnitude"] * 2
    tops = [max(line.get_ydata()[-1] for line in panel.get_lines()) for panel in figure.axes]
    assert tops == [0.96, 0.4, 0.96, 0.4]


def test_all_arms_of_a_method_have_its_colour():
    for label, stroke in STROKES.items():
        assert stroke.colour == METHOD_STYLES[label.split("-")[0]].colour
    assert list(STROKES) == list(ARMS)

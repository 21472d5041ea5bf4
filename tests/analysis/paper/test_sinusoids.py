import pandas as pd
import pytest

from augbench.analysis.figures.image_files import svg
from augbench.analysis.paper.sinusoids import (
    ALONE,
    SHIFT,
    draw_operations,
    draw_shifts,
    operation_claims,
    shift_claims,
)

OTHERS = ("ft_surrogate", "gaussian_noise")


def layer_of_three(learn, label, selected, fold):
    own = 0.25 if selected == SHIFT else 1.0
    rest = dict.fromkeys(ALONE, (0.0, 0.1, 0.2))
    return learn(label, rest | {selected: (1.0, own, 2 * own)}, fold=fold)


def table(learn, selected, *, patient="gaussian_noise", losses=(0.1, -0.1, -0.1), n_seeds=4):
    """Some seeds; the first ``selected`` of them select the shift."""
    parts = []
    for fold in range(n_seeds):
        chosen = SHIFT if fold < selected else "gaussian_noise"
        parts.append(layer_of_three(learn, "augnet", chosen, fold))
        parts.append(layer_of_three(learn, "patient", patient, fold))
        for (name, label), loss in zip(ALONE.items(), losses, strict=True):
            parts.append(learn(label, {name: (1.0, 0.25, 0.5)}, fold=fold, loss=loss))
    return pd.concat(parts)


def by_name(claims):
    return {claim.measured.split(":")[0]: claim for claim in claims}


def test_shares_and_shifts_are_counted_apart(learn):
    selects, learned, alone, *_ = shift_claims(table(learn, 1, n_seeds=8))
    assert (selects.got.value, selects.holds) == (1 / 8, False)
    assert (learned.got.value, learned.got.n, learned.holds) == (0.5, 1, None)
    assert (alone.got.value, alone.got.n, alone.holds) == (0.5, 8, True)


@pytest.mark.parametrize(("selected", "holds"), [(8, True), (1, False)])
def test_figure_b1_counts_the_seeds_that_keep_the_shift(learn, selected, holds):
    (claim,) = operation_claims(table(learn, selected, n_seeds=8))
    assert (claim.got.value, claim.holds) == (selected / 8, holds)


@pytest.mark.parametrize(("losses", "prefers"), [((0.1, -0.1, 0.0), 0.0), ((-0.3, -0.1, 0.0), 1.0)])
def test_the_objective_prefers_what_has_the_lowest_loss_alone(learn, losses, prefers):
    claim = by_name(shift_claims(table(learn, 1, losses=losses)))["The objective prefers the shift"]
    assert claim.got.value == prefers


def test_a_selection_agrees_within_the_difference_of_two_trainings(learn):
    for worse, agrees in ((0.01, 1.0), (0.05, 0.0)):
        claims = shift_claims(table(learn, 4, losses=(0.5, -0.1 - worse, -0.1)))
        (patient,) = [each for each in claims if each.measured.startswith("A late choice")]
        assert patient.got.value == agrees
        (own,) = [each for each in claims if each.measured.startswith("The paper's layer selects")]
        assert own.got.value == 0.0  # it selects the shift, whose loss is 0.5


def test_a_seed_without_all_three_alone_is_left_out(learn):
    rows = table(learn, 1)
    rows = rows[~((rows["method"] == "noise-alone") & (rows["fold"] > 0))]
    claim = by_name(shift_claims(rows))["The objective prefers the shift"]
    assert claim.got.n == 1


def test_figure_5_tells_seeds_that_select_the_shift_from_the_others(learn):
    left, right = draw_shifts(table(learn, 1)).axes
    colours = [line.get_color() for line in left.get_lines()]
    assert colours.count("#777777") == 3 + 1  # three seeds and their median
    assert len(right.get_lines()) == 4 + 1 + 1
    assert right.get_lines()[-1].get_ydata()[0] == 0.5


def test_figure_b1_groups_seeds_by_what_they_select(learn):
    titles = [panel.get_title(loc="left") for panel in draw_operations(table(learn, 1)).axes]
    assert titles[::2] == [
        "1 of 4 seeds select frequency_shift",
        "0 of 4 seeds select ft_surrogate",
        "3 of 4 seeds select gaussian_noise",
    ]


def test_nothing_yet_can_be_drawn(learn):
    empty = table(learn, 1).iloc[:0]
    assert svg(draw_shifts(empty))
    assert svg(draw_operations(empty))
    assert {claim.holds for claim in shift_claims(empty)} == {None}

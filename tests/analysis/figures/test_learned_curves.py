import pandas as pd
import pytest

from augbench.analysis.figures.learned_curves import seed_words, seeds_of, strokes
from augbench.analysis.styles import METHOD_STYLES

ONE = {"rotate": (1.0, 0.25, 45.0)}


def test_seeds_that_are_not_as_far_as_the_others_are_not_counted(learn):
    whole = [learn("augnet", ONE, fold=fold) for fold in range(3)]
    begun = learn("augnet", ONE, fold=3).query("step < 4")
    assert seeds_of(pd.concat([*whole, begun])) == "3 seeds"
    other = [learn("augerino", ONE, fold=fold) for fold in range(2)]
    assert seeds_of(pd.concat([*whole, *other])) == "2 to 3 seeds"
    assert seeds_of(begun) == "1 seed"


@pytest.mark.parametrize(
    ("counts", "words"),
    [([], "no seed yet"), ([1, 1], "1 seed"), ([5, 5], "5 seeds"), ([1, 4], "1 to 4 seeds")],
)
def test_numbers_of_seeds_in_words(counts, words):
    assert seed_words(pd.Series(counts, dtype="int64")) == words


def test_labels_of_a_method_have_its_colour_and_look_different():
    drawn = strokes("augnet", "a", "b", "c")
    assert {stroke.colour for stroke in drawn.values()} == {METHOD_STYLES["augnet"].colour}
    assert len({stroke.dashes for stroke in drawn.values()}) == 3

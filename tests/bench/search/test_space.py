"""Spaces from their words, and the grids in them."""

from math import log

import pytest

from augbench.bench.search.space import (
    PAPER_GRIDS,
    Choice,
    Range,
    corners,
    grid,
    read_space,
    read_spaces,
    scale,
    with_values,
)
from augbench.datasets.errors import UserError


def test_spaces_are_what_their_words_say() -> None:
    assert read_space("penalty", "log:0.01:50") == Range("log", 0.01, 50.0, None)
    assert read_space("penalty", "linear:0:1:5") == Range("linear", 0.0, 1.0, 5)
    assert read_space("n_copies_test", "int:1:10") == Range("int", 1, 10, None)
    assert read_space("at_eval", "choice:blend,sample") == Choice(("blend", "sample"))
    assert read_space("warm_up", "choice:0, 2,1e-3,true") == Choice((0, 2, 1e-3, True))


def test_lambda_is_the_penalty_and_the_papers_grids_are_of_it() -> None:
    assert read_spaces(["lambda"], ["paper"]) == {"penalty": "paper"}
    assert grid({"penalty": read_space("penalty", "paper")}, None) == [
        {"penalty": value} for value in (0.01, 0.1, 0.5, 0.8)
    ]
    assert PAPER_GRIDS["paper-sleep"] == (1.0, 5.0, 10.0, 50.0)
    with pytest.raises(UserError, match="holds values of lambda"):
        read_space("warm_up", "paper")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("lag:0.01:50", "unknown --space 'lag'; did you mean 'log'"),
        ("0.5", "is not a space; known: log:LOW:HIGH"),
        ("log:0.01", "is not a range"),
        ("log:a:50", "could not convert string to float: 'a'"),
        ("int:1.5:3", "invalid literal for int"),
        ("log:0:50", "has to begin above 0"),
        ("linear:2:1", "the low end has to be below the high one"),
        ("linear:1:inf", "the low end has to be below the high one"),
        ("linear:0:1:1", "2 points or more"),
        ("choice:", "has different values"),
        ("choice:1,1", "has different values"),
    ],
)
def test_words_that_are_no_space_are_told_so(words: str, part: str) -> None:
    with pytest.raises(UserError, match=part.replace("(", r"\(")):
        read_space("penalty", words)


@pytest.mark.parametrize(
    ("names", "words", "part"),
    [
        ([], [], "0 --param and 0 --space"),
        (["lambda", "warm_up"], ["log:0.1:1"], "2 --param and 1 --space"),
        (["lambda", "penalty"], ["log:0.1:1", "log:0.1:1"], "an option twice"),
    ],
)
def test_each_parameter_needs_one_space(names: list[str], words: list[str], part: str) -> None:
    with pytest.raises(UserError, match=part):
        read_spaces(names, words)


def test_a_grid_is_even_on_the_scale_of_its_range_and_has_both_ends() -> None:
    points = [point["x"] for point in grid({"x": Range("log", 0.01, 100.0, None)}, 5)]
    assert points == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert (min(points), max(points)) == (0.01, 100.0)  # not a bit outside
    assert [p["x"] for p in grid({"x": Range("linear", 0.0, 1.0, 3)}, None)] == [0.0, 0.5, 1.0]
    assert [p["x"] for p in grid({"x": Range("int", 1, 3, 9)}, None)] == [1, 2, 3]


def test_a_grid_of_two_parameters_is_their_product() -> None:
    points = grid({"x": Choice((1, 2)), "y": Range("linear", 0.0, 1.0, 3)}, None)
    assert [(point["x"], point["y"]) for point in points] == [
        (1, 0.0),
        (1, 0.5),
        (1, 1.0),
        (2, 0.0),
        (2, 0.5),
        (2, 1.0),
    ]


def test_a_grid_whose_size_is_not_clear_is_refused() -> None:
    with pytest.raises(UserError, match="the grid needs a number of points for 'y'"):
        grid({"x": Choice((1, 2)), "y": Range("linear", 0.0, 1.0, None)}, 6)
    with pytest.raises(UserError, match="the grid has 2 points, and --trials is 6"):
        grid({"x": Choice((1, 2))}, 6)


def test_corners_hold_every_extreme_once() -> None:
    spaces = {"x": Choice(("a", "b", "c")), "y": Range("log", 0.1, 10.0, None)}
    found = list(corners(spaces))
    assert len(found) == 5
    assert {point["x"] for point in found} == {"a", "b", "c"}
    assert [log(float(point["y"])) for point in found[-2:]] == pytest.approx([log(0.1), log(10)])


def test_values_go_where_a_suite_has_them_and_leave_the_rest() -> None:
    table = {"layers": [["a"]], "training": {"epochs": 3, "beta1": 0.5}}
    changed = with_values(table, {"penalty": 0.3, "training.epochs": 5})
    assert changed == {"layers": [["a"]], "penalty": 0.3, "training": {"epochs": 5, "beta1": 0.5}}
    assert table["training"] == {"epochs": 3, "beta1": 0.5}


def test_the_scale_of_an_axis() -> None:
    spaces = [Range("log", 0.1, 1, None), Range("int", 1, 5, None), Choice(("a", 1))]
    assert [scale(space) for space in spaces] == ["log", "linear", "words"]
    assert scale(Choice(PAPER_GRIDS["paper"])) == "log"
    assert scale(Choice((0, 100))) == "linear"

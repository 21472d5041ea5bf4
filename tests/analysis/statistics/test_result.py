from math import nan

import pytest

from augbench.analysis.statistics.result import (
    IntervalEstimate,
    SignificanceResult,
    not_tested,
    p_text,
    too_few,
)


def test_a_test_that_was_not_made_prints_its_reason_and_no_p():
    result = not_tested(3, too_few("tasks", 3, 6))
    assert str(result) == "too few tasks: 3 of 6 needed"
    assert str(SignificanceResult(2.0, 0.0312, 9)) == "p = .031"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "p < .001"),
        (0.0009, "p < .001"),
        (0.001, "p = .001"),
        (0.049, "p = .049"),
        (0.28, "p = .28"),
        (1.0, "p = 1.00"),
    ],
)
def test_a_p_value_is_printed_as_in_papers(p, text):
    assert p_text(p) == text


def test_an_estimate_prints_its_interval_or_why_there_is_none():
    assert str(IntervalEstimate(0.5, 0.25, 0.75, 9)) == "0.500 [0.250, 0.750]"
    assert str(IntervalEstimate(0.5, nan, nan, 3, "too few folds: 3 of 5 needed")) == (
        "0.500 (too few folds: 3 of 5 needed)"
    )
    assert str(IntervalEstimate(nan, nan, nan, 0, "no run")) == "no run"

import math

import numpy as np
import pytest

from augbench.analysis.paper.intervals import Estimate, median_estimate, share_estimate


def test_the_interval_of_a_median_is_two_order_statistics() -> None:
    # Of 12 values the third smallest and the third largest hold the median with 96 %.
    assert median_estimate(range(1, 13)) == Estimate(6.5, 3, 10, 12)


def test_few_values_have_their_whole_range() -> None:
    assert median_estimate([3.0, 1.0, 2.0]) == Estimate(2, 1, 3, 3)
    assert median_estimate([4.0]) == Estimate(4, 4, 4, 1)


def test_without_a_value_there_is_no_number() -> None:
    for estimate in (median_estimate([]), share_estimate(0, 0)):
        assert estimate.n == 0
        assert all(math.isnan(each) for each in estimate[:3])


@pytest.mark.parametrize("n", [6, 8, 12, 25])
@pytest.mark.parametrize("level", [0.75, 0.95])
def test_it_holds_the_true_median_as_often_as_it_says(n: int, level: float) -> None:
    generator = np.random.default_rng(0)
    estimates = [median_estimate(generator.normal(size=n), level) for _ in range(2000)]
    held = np.mean([each.low <= 0 <= each.high for each in estimates])
    assert held >= level - 0.03


def test_a_lower_level_is_a_narrower_interval() -> None:
    wide, narrow = (median_estimate(range(20), level) for level in (0.95, 0.75))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_wilsons_interval_is_that_of_the_textbooks() -> None:
    # Brown, Cai and DasGupta; 3 of 12.
    estimate = share_estimate(3, 12)
    assert estimate.value == 0.25
    assert estimate.low == pytest.approx(0.0889, abs=1e-3)
    assert estimate.high == pytest.approx(0.5323, abs=1e-3)
    assert share_estimate(12, 12).high == 1.0
    assert share_estimate(0, 12).low == 0.0

"""From pages to the course of the stages."""

import numpy as np
import pytest

from augbench.datasets.simulated_nights.stages import moving_mean, stage_course
from augbench.datasets.sleep_stages import CLASS_NAMES


def course(hypnogram: str, lead: float = 0.0, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    return stage_course(hypnogram, lead, np.random.default_rng(seed))


@pytest.mark.parametrize("lead", [0.0, 0.25, 19.5])
def test_every_second_has_shares_that_sum_to_1(lead: float) -> None:
    shares = course("WW1223344R?W", lead)
    assert shares.shape == (12 * 30 + np.ceil(lead), len(CLASS_NAMES))
    assert shares.sum(axis=1) == pytest.approx(1)
    assert shares.min() >= 0


def test_a_page_looks_most_like_its_own_stage() -> None:
    for stage, expected in zip("W1234R?", (0, 1, 2, 3, 3, 4, 0), strict=True):
        shares = course(stage * 200).mean(axis=0)
        assert shares.argmax() == expected
        assert shares[expected] > 0.6


def test_a_stage_begins_near_its_page_and_after_the_lead() -> None:
    for lead in (0.0, 20.0):
        begins = [
            np.flatnonzero(course("W" * 20 + "3" * 20, lead, seed)[:, 3] > 0.2)[0]
            for seed in range(200)
        ]
        assert np.median(begins) == pytest.approx(lead + 600, abs=5)
        assert min(begins) < lead + 590  # a page is scored by its greater part


def test_a_night_of_one_page_has_a_course() -> None:
    assert course("2").shape == (30, 5)


@pytest.mark.parametrize("width", [1, 4, 5, 100])
def test_means_over_rows_are_those_of_numpy(width: int) -> None:
    x = np.random.default_rng(0).standard_normal((40, 2))
    rows = [x[max(i - width // 2, 0) : i - width // 2 + width] for i in range(40)]
    np.testing.assert_allclose(moving_mean(x, width), [row.mean(axis=0) for row in rows])

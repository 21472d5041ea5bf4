"""Real EEG as a check: a linear model finds the stages of people whom it has not seen.

What the trunk of Table 3 reaches on the same windows is printed by
tests/soak/trunk_on_real_sleep.py.
"""

from pathlib import Path

import numpy as np
import pytest

from dreams_spindles import FOLDER, Window, log_band_powers, logistic_regression, read_windows


@pytest.fixture(scope="module")
def windows(data_root: Path) -> list[Window]:
    found = read_windows(data_root)
    if not found:
        pytest.skip(f"no {FOLDER} under {data_root}")
    return found


def test_windows_are_cut_and_labelled(windows: list[Window]) -> None:
    assert np.bincount([window.label for window in windows]).tolist() == [54, 46, 288, 87]
    assert {window.person for window in windows} == set(range(8))
    assert all(len(window.microvolts) == 30 * window.rate for window in windows)
    deviations = [window.microvolts.std() for window in windows]
    assert 10 < np.median(deviations) < 40  # microvolts


def test_deep_sleep_has_more_delta_than_wake(windows: list[Window]) -> None:
    delta = [
        np.mean([np.exp(log_band_powers(w)[0]) for w in windows if w.label == label])
        for label in range(4)
    ]
    assert delta[3] > delta[2] > max(delta[0], delta[1])


def test_a_linear_model_finds_the_stages_of_people_whom_it_has_not_seen(
    windows: list[Window],
) -> None:
    scores = logistic_regression(windows)
    assert len(scores) == 8
    assert np.mean(scores) == pytest.approx(0.54, abs=0.03)
    assert min(scores) < 0.35  # one recording is odd

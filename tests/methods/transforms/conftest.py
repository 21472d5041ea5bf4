"""Signals that the tests of the transforms share."""

import pytest

from augbench.datasets.task import Signal


@pytest.fixture(scope="session")
def eeg() -> Signal:
    return Signal("eeg", (6, 400), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)


@pytest.fixture(scope="session")
def image() -> Signal:
    return Signal("image", (3, 12, 16))

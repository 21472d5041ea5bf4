"""Signals, and the transforms that are tried on them."""

import warnings

import pytest

from augbench.datasets.task import Signal
from augbench.methods.transforms.imported.build import imported_builder
from augbench.methods.transforms.transform import Transform

IMAGE = Signal("image", (3, 12, 16))
EEG = Signal("eeg", (6, 200), ("C3", "C4", "F3", "F4", "O1", "O2"), 100.0)


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Both libraries warn of what they will change."""
    warnings.simplefilter("ignore")


@pytest.fixture
def make():  # type: ignore[no-untyped-def]
    """The transform that a name means, on the signal of its kind."""

    def build(name: str, *described: object, strongest: float | None = None) -> Transform:
        signal = IMAGE if name.startswith("kornia") else EEG
        return imported_builder(name, *described)(signal, strongest=strongest)  # type: ignore[arg-type]

    return build

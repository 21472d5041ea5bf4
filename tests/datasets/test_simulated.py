"""Nights that `augbench simulate-nights` wrote, read as a task."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from augbench.datasets.errors import UserError, UserNotice
from augbench.datasets.options.tasks import SimulatedOptions, SleepEdfOptions
from augbench.datasets.simulated import simulated
from augbench.datasets.simulated_nights.folder import NightsOptions, write_nights
from augbench.datasets.sleep_edf import sleep_edf

HYPNOGRAM = "W" * 60 + "W1223344RR" * 15 + "W" * 60  # of it, 30 pages a night


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five people of a quarter of an hour each, in both layouts."""
    root = tmp_path_factory.mktemp("data")
    for folder, layout, nights in (("simulated", "mass", 5), ("sleep_edf", "sleep-edf", 9)):
        (root / folder).mkdir()
        for _ in write_nights(
            root / folder, NightsOptions(layout, nights, hours=0.25), (HYPNOGRAM,)
        ):
            pass
    return root


def test_they_are_read_as_mass_and_said_to_be_simulated(data: Path) -> None:
    with pytest.warns(UserNotice, match="in 5 of 5 recordings signals are simulated"):
        task = simulated(SimulatedOptions(), data, 0)
    assert task.name == "simulated"
    assert task.signal.shape == (6, 3840)
    assert task.trunk == "sleep_stager"
    assert sum(len(task.fold(k).test.y) for k in range(task.n_folds)) == 5 * 30
    assert torch.isfinite(task.fold(0).views.train.x).all()


def test_simulated_nights_in_the_place_of_real_ones_are_said_to_be_so(data: Path) -> None:
    with pytest.warns(UserNotice, match="signals are simulated"):
        task = sleep_edf(SleepEdfOptions(), data, 0)
    assert task.name == "sleep_edf"


def test_where_there_are_none_the_command_that_writes_some_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"augbench simulate-nights .*simulated --layout mass"):
        simulated(SimulatedOptions(), tmp_path, 0)
    mixed = replace(SimulatedOptions(), path=".")
    with pytest.raises(UserError, match="no night of MASS"):
        simulated(mixed, tmp_path, 0)

import warnings

import pytest
import torch

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms import electrodes
from augbench.methods.transforms.electrodes import directions, electrode_names, mirror


def eeg(*names: str, n_channels: int | None = None) -> Signal:
    return Signal("eeg", (n_channels or len(names), 10), names)


def test_names_are_read_in_any_case() -> None:
    assert electrode_names(eeg("fpz", "OZ", "Poz"), "rotation_x") == ("FPZ", "OZ", "POZ")


def test_an_unknown_channel_is_named() -> None:
    with pytest.raises(UserError, match=r"'rotation_x' does not know the channel 'EEG 7': 10-20"):
        electrode_names(eeg("C3", "EEG 7"), "rotation_x")


def test_missing_names_are_counted() -> None:
    with pytest.raises(UserError, match="each of the 4 channels, the signal has 0 names"):
        electrode_names(eeg(n_channels=4), "channel_symmetry")


def test_a_channel_that_stands_there_twice_is_named() -> None:
    with pytest.raises(UserError, match="'Cz' stands there 2 times"):
        electrode_names(eeg("C3", "Cz", "CZ"), "channel_symmetry")


def test_left_and_right_are_mirrored() -> None:
    names = ("C3", "C4", "CZ", "FT9", "FT10", "F5H", "F6H", "O1")
    assert mirror(names) == [1, 0, 2, 4, 3, 6, 5, 7]


def test_mirrored_names_are_mirrored_places() -> None:
    places = directions(("C3", "C4", "FT9", "FT10", "F5H", "F6H"))
    flipped = places * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(places[0::2], flipped[1::2], rtol=0, atol=0.06)


def test_directions_are_unit_vectors_right_front_up() -> None:
    places = directions(("T8", "FPZ", "CZ", "O9"))
    torch.testing.assert_close(places.norm(dim=1), torch.ones(4, dtype=torch.float64))
    assert places[:3].argmax(1).tolist() == [0, 1, 2]


def test_positions_come_without_a_warning() -> None:
    electrodes._positions.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        directions(("C3",))
    assert not caught

import math

import mne
import numpy as np
import pytest
import torch
from braindecode.augmentation import functional
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms import EEG
from augbench.methods.transforms.electrodes import directions
from augbench.methods.transforms.rotation import rotation_z

NAMES = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2".split()  # noqa: SIM905
OCCIPITAL = "Oz O1 O2 POz PO3 PO4 PO7 PO8".split()  # noqa: SIM905
ROTATIONS = ["rotation_x", "rotation_y", "rotation_z"]


def signal(names: list[str]) -> Signal:
    return Signal("eeg", (len(names), 40), tuple(names))


def places(names: list[str]) -> Tensor:
    return directions(tuple(name.upper() for name in names))


def turn(axis: str, degrees: float) -> Tensor:
    """The right-handed rotation about an axis, from the exponential of its generator."""
    i = "xyz".index(axis)
    generator = torch.zeros(3, 3, dtype=torch.float64)
    generator[(i + 2) % 3, (i + 1) % 3], generator[(i + 1) % 3, (i + 2) % 3] = 1, -1
    return torch.linalg.matrix_exp(math.radians(degrees) * generator)


def braindecode(x: Tensor, names: list[str], axis: str, degrees: Tensor) -> Tensor:
    return functional.sensors_rotation(x, None, places(names).T, axis, degrees.double(), True)[0]


@pytest.mark.parametrize("name", ROTATIONS)
@pytest.mark.parametrize("names", [NAMES, OCCIPITAL])
def test_rotation_is_braindecodes_without_its_error_at_angle_0(name: str, names: list[str]) -> None:
    x = torch.randn(5, len(names), 40, generator=torch.Generator().manual_seed(0))
    noise = torch.tensor([-1.0, -0.4, 0.0, 0.2, 1.0])
    axis, degrees = name[-1], 30 * 0.8 * noise
    at_rest = braindecode(x, names, axis, torch.zeros(5))
    # braindecode is wrong here: its regularised spline alters a signal that nobody has rotated.
    assert float((at_rest - x).square().mean().sqrt()) > 0.25
    expected = x + braindecode(x, names, axis, degrees) - at_rest
    out = EEG[name](signal(names)).apply(x, torch.full((5,), 0.8), noise)
    torch.testing.assert_close(out, expected, rtol=0, atol=2e-4)
    assert torch.equal(out[2], x[2])


def test_the_gradient_that_braindecode_cannot_give_is_given_here() -> None:
    x = torch.randn(2, len(NAMES), 40)
    magnitude = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="inplace operation"):
        functional.sensors_rotation(x, None, places(NAMES).T, "z", 30 * magnitude, True)[
            0
        ].square().sum().backward()
    noise = torch.tensor([0.3, -0.8])
    EEG["rotation_z"](signal(NAMES)).apply(x, magnitude, noise).square().sum().backward()
    assert magnitude.grad is not None
    assert (magnitude.grad != 0).all()


@given(
    name=st.sampled_from(ROTATIONS),
    degrees=st.floats(-30, 30),
    field=st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_a_smooth_field_is_seen_from_the_turned_places(
    name: str, degrees: float, field: list[float]
) -> None:
    direction = torch.tensor(field, dtype=torch.float64)
    x = (places(NAMES) @ direction).reshape(1, -1, 1)
    out = EEG[name](signal(NAMES)).apply(x, torch.ones(1), torch.tensor([degrees / 30]).double())
    expected = places(NAMES) @ turn(name[-1], degrees).T @ direction
    torch.testing.assert_close(out.flatten(), expected, rtol=0, atol=0.05)


@given(name=st.sampled_from(ROTATIONS), degrees=st.floats(-30, 30))
@settings(max_examples=20, deadline=None)
def test_turning_there_and_back_is_nearly_the_identity(name: str, degrees: float) -> None:
    x = places(NAMES).T.reshape(3, -1, 1)  # three smooth fields
    transform, ones = EEG[name](signal(NAMES)), torch.ones(3)
    noise = torch.full((3,), degrees / 30, dtype=torch.float64)
    there = transform.apply(x, ones, noise)
    back = transform.apply(there, ones, -noise)
    assert float((back - x).abs().max()) < 0.06
    if abs(degrees) > 10:
        assert float((there - x).abs().max()) > 0.12


@pytest.mark.parametrize("name", ROTATIONS)
def test_white_noise_is_not_blown_up(name: str) -> None:
    # Undoing the regularisation instead would make it up to 6.5 times as large on these channels.
    x = torch.randn(1, len(OCCIPITAL), 4000, generator=torch.Generator().manual_seed(0))
    for noise in (-1.0, 1.0):
        out = EEG[name](signal(OCCIPITAL)).apply(x, torch.ones(1), torch.tensor([noise]))
        assert 0.8 < float(out.std()) < 2.5


def test_the_positions_are_those_that_braindecode_documents() -> None:
    montage = mne.channels.make_standard_montage(
        "colin27_1020" if "colin27_1020" in mne.channels.get_builtin_montages() else "standard_1020"
    )
    found = montage.get_positions()["ch_pos"]
    stacked = np.stack([found[name] for name in NAMES])
    expected = stacked / np.linalg.norm(stacked, axis=1, keepdims=True)
    np.testing.assert_allclose(places(NAMES).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", ROTATIONS)
def test_channels_without_10_20_names_are_said_in_one_sentence(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' does not know the channel 'left'"):
        EEG[name](signal(["C3", "left"]))


def test_the_strongest_angle_can_be_chosen() -> None:
    x = torch.randn(1, len(NAMES), 40)
    wide = rotation_z(signal(NAMES), strongest=30.0)
    narrow = rotation_z(signal(NAMES), strongest=15.0)
    noise = torch.tensor([0.5])
    torch.testing.assert_close(
        wide.apply(x, torch.tensor([0.5]), noise), narrow.apply(x, torch.ones(1), noise)
    )

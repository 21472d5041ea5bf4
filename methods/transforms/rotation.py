"""Rotations of the electrode cap. EEG is (B, C, T), angles are in degrees."""

import math
from functools import partial

import numpy as np
import torch
from numpy.polynomial.legendre import legval
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.constants import DeviceConstant
from augbench.methods.transforms.electrodes import directions, electrode_names
from augbench.methods.transforms.parts import Factor, Parts, SumOfParts
from augbench.methods.transforms.transform import Transform, draw_signed
from augbench.methods.transforms.trigonometric import N_HARMONICS, Turn

STIFFNESS = 4
N_TERMS = N_HARMONICS  # Legendre polynomials in the spline
REGULARISATION = 1e-5


def rotation_x(signal: Signal, *, strongest: float = 30.0) -> Transform:
    """Turn the cap about the axis through the ears; errors and source as in `rotation_z`."""
    return _rotation("x", signal, strongest)


def rotation_y(signal: Signal, *, strongest: float = 30.0) -> Transform:
    """Turn the cap about the axis from nose to neck; errors and source as in `rotation_z`."""
    return _rotation("y", signal, strongest)


def rotation_z(signal: Signal, *, strongest: float = 30.0) -> Transform:
    """Turn the cap about the vertical axis: each channel shows what a spline sees at its new place.

    It is a product of matrices, in which 0 times infinity is NaN: a channel with an infinite or NaN
    value makes all channels of its sample infinite or NaN at that time.
    Raises a UserError for channels that have no 10-20 names, and for a signal of one channel.

    Source: Krell and Kim 2017; Perrin et al. 1989 (splines); AugNet, Table 4.
    """
    return _rotation("z", signal, strongest)


def _rotation(axis: str, signal: Signal, strongest: float) -> Transform:
    name = f"rotation_{axis}"
    if signal.n_channels == 1:
        raise UserError(
            f"{name} does nothing here: the signal has one channel, and no other that a spline "
            "could see; leave it out"
        )
    places = directions(electrode_names(signal, name)).numpy()
    table = DeviceConstant(_change_by_harmonic(places, axis))  # (2, K, C, C)
    return Transform(
        name=name,
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="degrees",
        source="Krell and Kim 2017; Perrin et al. 1989; AugNet, Table 4",
        draw=draw_signed,
        apply=SumOfParts(partial(_turn_cap, table=table), strongest),
        draws_strength=True,
    )


def _turn_cap(
    x: Tensor, share: Factor, value: Tensor, noise: Tensor, *, table: DeviceConstant
) -> Parts:
    return Parts(gains=(share,), turns=(Turn(share, value, noise, table(x)),))


# braindecode interpolates with a matrix M(angle). M(0) is not the identity, because the spline is
# regularised and loses fine spatial detail: on white noise the root mean square of M(0) x - x is
# 0.04 for 6 channels, 0.54 for 8 occipital ones, 0.72 for 64. Here the detail that the spline loses
# stays where it is: x + (M(angle) - M(0)) x. At 30 degrees about z white noise then has 1.1, 2.0
# and 1.0 times its size. To multiply with the inverse of M(0) also gives the identity at 0, but
# undoes the regularisation: noise of the 8 channels becomes 5.9 times as large.
#
# A spline is a polynomial of the cosine between two electrodes, and that cosine is linear in
# cos(angle) and sin(angle). So M is a trigonometric polynomial of the angle, and samples of it
# determine it once and for all.
def _change_by_harmonic(places: np.ndarray, axis: str) -> Tensor:
    """(C, 3) -> (2, K, C, C): the factors of sin(k angle / 2)^2 and sin(k angle / 2) cos(...).

    They are those of (cos(k angle) - 1) / -2 and of sin(k angle) / 2.
    """
    n_channels = len(places)
    n_angles = 2 * N_TERMS + 2  # one harmonic more than M has: no aliasing
    bordered = np.ones((n_channels + 1, n_channels + 1))
    bordered[-1, -1] = 0
    bordered[:-1, :-1] = _spline(places @ places.T) + REGULARISATION * np.eye(n_channels)
    weights = np.linalg.inv(bordered)[:-1, :-1]  # the constant term does not depend on the angle
    angles = 2 * math.pi / n_angles * np.arange(n_angles)
    turned = places @ _turn(axis, angles).swapaxes(1, 2)  # (A, C, 3)
    spectrum = np.fft.rfft(_spline(turned @ places.T) @ weights, axis=0)[1 : N_TERMS + 1]
    return torch.from_numpy(np.stack([-2 * spectrum.real, -2 * spectrum.imag]) * (2 / n_angles))


def _spline(cosine: np.ndarray) -> np.ndarray:
    """Equation 3 of Perrin et al. 1989."""
    n = np.arange(1, N_TERMS + 1)
    return np.asarray(legval(cosine, [0, *(2 * n + 1) / (4 * np.pi * (n * (n + 1)) ** STIFFNESS)]))


def _turn(axis: str, angles: np.ndarray) -> np.ndarray:
    """Right-handed rotations in radians, (A,) -> (A, 3, 3)."""
    i = "xyz".index(axis)
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix = np.zeros((len(angles), 3, 3))
    matrix[:, i, i] = 1
    matrix[:, j, j] = matrix[:, k, k] = np.cos(angles)
    matrix[:, k, j] = np.sin(angles)
    matrix[:, j, k] = -matrix[:, k, j]
    return matrix

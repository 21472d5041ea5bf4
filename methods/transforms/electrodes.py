"""What the 10-20 name of an electrode tells: where it sits, and which one is its mirror image."""

import re
from functools import cache

import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal


def electrode_names(signal: Signal, transform: str) -> tuple[str, ...]:
    """The channel names in upper case, checked to be different 10-20 names, one for each channel.

    Raises a UserError that names the transform and the first name that will not do.
    """
    names = tuple(name.upper() for name in signal.channels)
    if len(names) != signal.n_channels:
        raise UserError(
            f"transform {transform!r} needs a 10-20 name for each of the {signal.n_channels} "
            f"channels, the signal has {len(names)} names: give them or leave the transform out"
        )
    for given, name in zip(signal.channels, names, strict=True):
        if name not in _positions():
            raise UserError(
                f"transform {transform!r} does not know the channel {given!r}: 10-20 names such as "
                "'C3' or 'Oz' are needed; rename it or leave the transform out"
            )
        if names.count(name) > 1:
            raise UserError(
                f"transform {transform!r} needs different channels, but {given!r} stands there "
                f"{names.count(name)} times: rename them or leave the transform out"
            )
    return names


def directions(names: tuple[str, ...]) -> Tensor:
    """Unit vectors from the centre of the head, (C, 3) in float64: x right, y front, z up."""
    positions = torch.tensor([_positions()[name] for name in names], dtype=torch.float64)
    return torch.nn.functional.normalize(positions, dim=1)


def mirror(names: tuple[str, ...]) -> list[int]:
    """For each channel the index of its left-right mirror image, or its own where there is none."""
    return [names.index(m) if (m := _mirror_name(n)) in names else i for i, n in enumerate(names)]


def _mirror_name(name: str) -> str:
    """C3 <-> C4, F5H <-> F6H, CZ -> CZ: odd numbers are left, even ones right."""
    return re.sub(r"\d+", lambda n: str(int(n[0]) + 1 if int(n[0]) % 2 else int(n[0]) - 1), name)


@cache
def _positions() -> dict[str, list[float]]:
    # Its import takes a tenth of a second, and images never need it.
    from mne.channels import get_builtin_montages, make_standard_montage

    # MNE 1.13 renamed the head that these positions were measured on.
    head = "colin27" if "colin27_1005" in get_builtin_montages() else "standard"
    positions = {}
    for grid in ("1005", "1020"):  # each has electrodes that the other lacks
        found = make_standard_montage(f"{head}_{grid}").get_positions()["ch_pos"]
        positions.update({name.upper(): list(place) for name, place in found.items()})
    return positions

"""What the 10-20 name of an electrode tells: where it sits, and which one is its mirror image."""

import torch
from torch import Tensor

from augbench.datasets.electrodes import electrode, mirror_name, places
from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal


def electrode_names(signal: Signal, transform: str) -> tuple[str, ...]:
    """The electrode of each channel in upper case, all different; see `datasets.electrodes`.

    Raises a UserError that names the transform and the first name that will not do.
    """
    if len(signal.channels) != signal.n_channels:
        raise UserError(
            f"transform {transform!r} needs a 10-20 name for each of the {signal.n_channels} "
            f"channels, the signal has {len(signal.channels)} names: give them or leave the "
            "transform out"
        )
    found = [electrode(name) for name in signal.channels]
    names = tuple(name for name in found if name is not None)
    for given, name in zip(signal.channels, found, strict=True):
        if name is None:
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
    positions = torch.tensor([places()[name] for name in names], dtype=torch.float64)
    return torch.nn.functional.normalize(positions, dim=1)


def mirror(names: tuple[str, ...]) -> list[int]:
    """For each channel the index of its left-right mirror image, or its own where there is none."""
    return [names.index(m) if (m := mirror_name(n)) in names else i for i, n in enumerate(names)]

"""Transforms of the set of channels. EEG is (B, C, T)."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from augbench.datasets.electrodes import no_mirror
from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.constants import COUNTING, IDENTITY, DeviceConstant
from augbench.methods.transforms.electrodes import electrode_names, mirror
from augbench.methods.transforms.parts import Factor, Parts, SumOfParts, times
from augbench.methods.transforms.transform import (
    Transform,
    draw_uniform,
    has_derivative,
    per_sample,
)
from augbench.methods.transforms.ungraded import ungraded

DROPOUT_STEEPNESS = 1000.0
# Up to so many channels a permutation is a matrix, which a layer can add to others.
FEW_CHANNELS = 16


def sign_flip(signal: Signal) -> Transform:
    """Change the polarity of all channels.

    Source: Rommel et al. 2022 (CADDA); AugNet, Table 4.
    """
    source = "Rommel et al. 2022 (CADDA); AugNet, Table 4"
    return ungraded("sign_flip", torch.neg, source, parts=_flipped)


def _flipped(x: Tensor, share: Factor, changed: Tensor) -> Parts:
    return Parts(gains=(torch.rsub(changed, share, alpha=2),))  # share - 2 * changed


def channel_symmetry(signal: Signal) -> Transform:
    """Swap the channels left and right; one without a mirror image among the channels stays.

    Up to `FEW_CHANNELS` are moved by a product of matrices, in which 0 times infinity is NaN: a
    channel with an infinite or NaN value makes all channels of its sample NaN at that time.
    Raises a UserError for channels that have no 10-20 names, or of which none has its mirror image
    among them.

    Source: Deiss et al. 2018; AugNet, Table 4.
    """
    names = electrode_names(signal, "channel_symmetry")
    if why := no_mirror(signal.channels):
        raise UserError(f"channel_symmetry does nothing here: {why}; leave it out")
    order = torch.tensor(mirror(names))
    pick = partial(_pick, channels=DeviceConstant(order))
    source = "Deiss et al. 2018; AugNet, Table 4"
    if len(names) > FEW_CHANNELS:
        return ungraded("channel_symmetry", pick, source)
    parts = partial(_mirrored, permutation=DeviceConstant(_permutations(order, order.double())))
    return ungraded("channel_symmetry", pick, source, parts=parts)


def _pick(x: Tensor, *, channels: DeviceConstant) -> Tensor:
    return x.index_select(1, channels(x))


def _mirrored(x: Tensor, share: Factor, changed: Tensor, *, permutation: DeviceConstant) -> Parts:
    return Parts(gains=(share - changed,), channels=changed * permutation(x))


def channel_dropout(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Silence each channel with a probability.

    Source: Saeed et al. 2020; AugNet, Table 4; steepness as in braindecode.
    """
    return Transform(
        name="channel_dropout",
        graded=True,
        gradient="path",
        strongest=strongest,
        unit="probability per channel",
        source="Saeed et al. 2020; AugNet, Table 4",
        draw=_draw_per_channel,
        apply=SumOfParts(_silence, strongest),
    )


def _silence(x: Tensor, share: Factor, value: Tensor, noise: Tensor) -> Parts:
    uniform = noise.unsqueeze(-1)  # (B, C, 1)
    silent = torch.sigmoid(DROPOUT_STEEPNESS * (per_sample(value, x) - uniform))
    # braindecode takes 1 - `silent`: at probability 0 it weakens channels whose draw is below 0.01
    # by up to one half, and at 1 it leaves as much. Rescaled, both ends are exact (all three are
    # of one shape: torch's sigmoid of a number differs by a bit with its place in an array), and
    # probabilities further than 0.01 from the ends are the same.
    least = torch.sigmoid(-DROPOUT_STEEPNESS * uniform)
    most = torch.sigmoid(DROPOUT_STEEPNESS * (1 - uniform))
    return Parts(gains=(times(share, (most - silent) / (most - least)),))


def channel_shuffle(signal: Signal, *, strongest: float = 1.0) -> Transform:
    """Select each channel with a probability, then permute the selected ones among themselves.

    Up to `FEW_CHANNELS` are moved by a product of matrices, in which 0 times infinity is NaN: a
    channel with an infinite or NaN value makes all channels of its sample NaN at that time.
    Raises a UserError for a signal of one channel.

    Source: Saeed et al. 2020; AugNet, Table 4.
    """
    if signal.n_channels == 1:
        raise UserError(
            "channel_shuffle does nothing here: the signal has one channel, and no other to swap "
            "it with; leave it out"
        )
    return Transform(
        name="channel_shuffle",
        graded=True,
        gradient="straight-through",
        strongest=strongest,
        unit="probability per channel",
        source="Saeed et al. 2020; AugNet, Table 4",
        draw=_draw_two_per_channel,
        apply=SumOfParts(partial(_shuffle_channels, strongest=strongest), strongest),
    )


def _draw_two_per_channel(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, C, T) -> (B, 2, C), uniform in [0, 1)."""
    return torch.stack([_draw_per_channel(x, generator) for _ in range(2)], dim=1)


def _shuffle_channels(
    x: Tensor, share: Factor, value: Tensor, noise: Tensor, *, strongest: float
) -> Parts:
    few, probability = x.shape[1] <= FEW_CHANNELS, value.detach()
    if not has_derivative(value):
        order = _shuffle(noise, probability.unsqueeze(1)).squeeze(1)
        if few:
            return Parts(channels=times(share, _permutations(order, x)))
        return Parts(addends=((share, _take(x, order)),))
    # Straight-through: the slope of the chord from no shuffle to the full shuffle of the same
    # noise. AugNet's code sums the gradient over all entries of the permutation matrix,
    # whatever was drawn: under linear losses of 6 channels that correlates 0.10 with the true
    # slope, the chord 1.00.
    both = F.pad(probability.unsqueeze(1), (0, 1), value=strongest)
    orders = _shuffle(noise, both)
    strength = per_sample(value - probability, x)
    if few:
        moved, shuffled = _permutations(orders, x).unbind(1)
        chord = shuffled - IDENTITY(x.shape[1], x)
        moved = torch.addcmul(moved, strength, chord, value=1 / strongest)
        return Parts(channels=times(share, moved))
    moved, shuffled = (_take(x, order) for order in orders.unbind(1))
    chord = (shuffled - x).detach()
    return Parts(addends=((share, moved), (times(share, strength / strongest), chord)))


def _draw_per_channel(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, C, T) -> (B, C), uniform in [0, 1)."""
    return draw_uniform(x, generator, x.shape[1])


def _shuffle(noise: Tensor, probability: Tensor) -> Tensor:
    """(B, 2, C) in [0, 1), (B, N) -> (B, N, C): a permutation for each sample and probability."""
    chance, key = noise.split(1, dim=1)
    selected = chance < probability.unsqueeze(-1)
    index, behind = COUNTING(2 * noise.shape[-1], noise, torch.int64).view(2, -1).unbind(0)
    # Two orders, which both put the selected channels first, by index and by random key, and the
    # others behind them in their own order. The channels of the second go to the places of the
    # first.
    places = torch.where(selected, index, behind).argsort(-1)
    sources = torch.where(selected, key, behind).argsort(-1)
    return torch.empty_like(places).scatter(-1, places, sources)


def _permutations(channels: Tensor, x: Tensor) -> Tensor:
    """(..., C) -> (..., C, C) in x's dtype: what puts the channels in a new order by a product."""
    rows = IDENTITY(channels.shape[-1], x).index_select(0, channels.flatten())
    return rows.view(*channels.shape, -1)


def _take(x: Tensor, channels: Tensor) -> Tensor:
    """(B, C, T), (B, C) -> (B, C, T): the channels of each sample in their new order."""
    first = torch.arange(len(x), device=x.device).unsqueeze(1) * x.shape[1]
    return x.flatten(0, 1).index_select(0, (first + channels).flatten()).view_as(x)

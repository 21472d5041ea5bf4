"""Transforms of the set of channels. EEG is (B, C, T)."""

from functools import partial

import torch
from torch import Generator, Tensor

from augbench.datasets.electrodes import no_mirror
from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.transforms.electrodes import electrode_names, mirror
from augbench.methods.transforms.parts import Parts, SumOfParts
from augbench.methods.transforms.transform import (
    DeviceConstant,
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


def _flipped(x: Tensor, share: Tensor) -> Parts:
    return Parts(gain=1 - 2 * share)


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
    mirrored = DeviceConstant(torch.tensor(mirror(names)))
    return ungraded(
        "channel_symmetry",
        partial(_pick, channels=mirrored),
        "Deiss et al. 2018; AugNet, Table 4",
        parts=partial(_mirrored, channels=mirrored),
    )


def _pick(x: Tensor, *, channels: DeviceConstant) -> Tensor:
    return x.index_select(1, channels(x))


def _mirrored(x: Tensor, share: Tensor, *, channels: DeviceConstant) -> Parts:
    if x.shape[1] > FEW_CHANNELS:
        return Parts(gain=1 - share, addends=((share, _pick(x, channels=channels)),))
    return Parts(gain=1 - share, channels=share * _permutations(channels(x).unsqueeze(0), x))


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
        apply=SumOfParts(partial(_silence, strongest=strongest)),
    )


def _silence(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Parts:
    uniform = noise.unsqueeze(-1)  # (B, C, 1)
    silent = torch.sigmoid(DROPOUT_STEEPNESS * (strongest * per_sample(magnitude, x) - uniform))
    # braindecode takes 1 - `silent`: at probability 0 it weakens channels whose draw is below 0.01
    # by up to one half, and at 1 it leaves as much. Rescaled, both ends are exact, and
    # probabilities further than 0.01 from the ends are the same.
    least = torch.sigmoid(-DROPOUT_STEEPNESS * uniform)
    most = torch.sigmoid(DROPOUT_STEEPNESS * (1 - uniform))
    return Parts(gain=(most - silent) / (most - least))


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
        apply=SumOfParts(partial(_shuffle_channels, strongest=strongest)),
    )


def _draw_two_per_channel(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, C, T) -> (B, 2, C), uniform in [0, 1)."""
    return torch.stack([_draw_per_channel(x, generator) for _ in range(2)], dim=1)


def _shuffle_channels(x: Tensor, magnitude: Tensor, noise: Tensor, *, strongest: float) -> Parts:
    probability = strongest * per_sample(magnitude, x)  # (B, 1, 1)
    order = _shuffle(noise, probability.detach().squeeze(-1))
    few = x.shape[1] <= FEW_CHANNELS
    moved = _permutations(order, x) if few else _take(x, order)
    if not has_derivative(magnitude):
        return Parts(channels=moved) if few else Parts(addends=((1.0, moved),))
    # Straight-through: the slope of the chord from no shuffle to the full shuffle of the same
    # noise. AugNet's code sums the gradient over all entries of the permutation matrix,
    # whatever was drawn: under linear losses of 6 channels that correlates 0.10 with the true
    # slope, the chord 1.00.
    strength = (probability - probability.detach()) / strongest
    order = _shuffle(noise, torch.full_like(probability.squeeze(-1), strongest))
    if few:
        chord = _permutations(order, x) - torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
        return Parts(channels=moved + strength * chord)
    return Parts(addends=((1.0, moved), (strength, (_take(x, order) - x).detach())))


def _draw_per_channel(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, C, T) -> (B, C), uniform in [0, 1)."""
    return draw_uniform(x, generator, x.shape[1])


def _shuffle(noise: Tensor, probability: Tensor) -> Tensor:
    """(B, 2, C) in [0, 1), (B, 1) -> (B, C), a permutation for each sample."""
    chance, key = noise.unbind(1)
    selected = chance < probability
    index = torch.arange(noise.shape[-1], device=noise.device).expand_as(selected)
    # Two orders, which both put the selected channels first, by index and by random key, and the
    # others behind them in their own order. The channels of the second go to the places of the
    # first.
    places = torch.where(selected, index, index + noise.shape[-1]).argsort(1)
    sources = torch.where(selected, key, 1 + index).argsort(1)
    return torch.empty_like(places).scatter(1, places, sources)


def _permutations(channels: Tensor, x: Tensor) -> Tensor:
    """(B, C) -> (B, C, C) in x's dtype: what puts the channels in a new order by a product."""
    index = torch.arange(channels.shape[1], device=channels.device)
    return (channels.unsqueeze(-1) == index).to(x.dtype)


def _take(x: Tensor, channels: Tensor) -> Tensor:
    """(B, C, T), (B, C) -> (B, C, T): the channels of each sample in their new order."""
    first = torch.arange(len(x), device=x.device).unsqueeze(1) * x.shape[1]
    return x.flatten(0, 1).index_select(0, (first + channels).flatten()).view_as(x)

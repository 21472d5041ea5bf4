"""Fully connected trunks, for signals of either kind."""

from torch import nn

from augbench.datasets.task import Signal
from augbench.datasets.trunks.trunk import input_layers


def mlp(signal: Signal, n_classes: int, *, widths: tuple[int, ...]) -> nn.Module:
    """(B, ...) -> (B, K), fully connected ReLU layers of the given widths. Source: AugNet, 4.3."""
    layers = [*input_layers(signal), nn.Flatten()]
    n_in = 1
    for length in signal.shape:
        n_in *= length
    for width in widths:
        layers += [nn.Linear(n_in, width), nn.ReLU()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_classes))

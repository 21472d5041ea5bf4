"""Trunks for images, which are (B, C, H, W)."""

from torch import nn

from datasets.task import Signal
from datasets.trunks.trunk import require


def conv_net(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, H, W) -> (B, K), four convolutions for images of 32 x 32 and larger.

    Raises UserError for EEG and smaller images. Source: AugNet, table 1.
    """
    require("conv_net", signal, "image", 32)
    _, height, width = signal.shape
    return nn.Sequential(
        *_convolution(signal.n_channels, 32),
        *_convolution(32, 64),
        nn.MaxPool2d(2),
        *_convolution(64, 128),
        nn.MaxPool2d(2),
        *_convolution(128, 256),
        nn.MaxPool2d(2),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Linear(256 * (height // 32) * (width // 32), n_classes),
    )


def small_conv_net(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, H, W) -> (B, K), table 1 cut down to two convolutions, for images from 4 x 4 on.

    Raises UserError for EEG and smaller images.
    """
    require("small_conv_net", signal, "image", 4)
    _, height, width = signal.shape
    return nn.Sequential(
        *_convolution(signal.n_channels, 16),
        nn.MaxPool2d(2),
        *_convolution(16, 32),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), n_classes),
    )


def _convolution(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()]

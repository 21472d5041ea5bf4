"""Trunks for images, which are (B, C, H, W)."""

from torch import nn

from augbench.datasets.task import Signal
from augbench.datasets.trunks.trunk import input_layers, require


def conv_net(signal: Signal, n_classes: int, *, n_filters: int = 32) -> nn.Module:
    """(B, C, H, W) -> (B, K), four convolutions for images of 32 x 32 and larger.

    ``n_filters`` are those of the first one; each of the others has twice as many as the last.
    Raises UserError for EEG and smaller images. Source: AugNet, table 1.
    """
    require("conv_net", signal, "image", 32)
    _, height, width = signal.shape
    return nn.Sequential(
        *input_layers(signal),
        *_convolution(signal.n_channels, n_filters),
        *_convolution(n_filters, 2 * n_filters),
        nn.MaxPool2d(2),
        *_convolution(2 * n_filters, 4 * n_filters),
        nn.MaxPool2d(2),
        *_convolution(4 * n_filters, 8 * n_filters),
        nn.MaxPool2d(2),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Linear(8 * n_filters * (height // 32) * (width // 32), n_classes),
    )


def small_conv_net(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, H, W) -> (B, K), table 1 cut down to two convolutions, for images from 4 x 4 on.

    Raises UserError for EEG and smaller images.
    """
    require("small_conv_net", signal, "image", 4)
    _, height, width = signal.shape
    return nn.Sequential(
        *input_layers(signal),
        *_convolution(signal.n_channels, 16),
        nn.MaxPool2d(2),
        *_convolution(16, 32),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (height // 4) * (width // 4), n_classes),
    )


def layer13(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, H, W) -> (B, K), nine convolutions in three blocks, whole channels dropped after each.

    Raises UserError for EEG and images below 4 x 4. Source: Benton et al. 2020 (Augerino), their
    code for CIFAR10; the 13 layers of its name count pooling and the like.
    """
    require("layer13", signal, "image", 4)
    return nn.Sequential(
        *input_layers(signal),
        *_convolution(signal.n_channels, 128),
        *_convolution(128, 128),
        *_convolution(128, 256),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.3),
        *_three_convolutions(256),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.3),
        *_three_convolutions(256),
        nn.Dropout2d(0.3),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, n_classes),
    )


def _three_convolutions(n: int) -> list[nn.Module]:
    return [module for _ in range(3) for module in _convolution(n, n)]


def _convolution(n_in: int, n_out: int) -> list[nn.Module]:
    return [nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU()]

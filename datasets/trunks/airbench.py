"""The small network of the speed records on CIFAR-10."""

import torch
from torch import Tensor, nn

from augbench.datasets.task import Signal
from augbench.datasets.trunks.trunk import input_layers, require

WIDTHS = (64, 256, 256)
MOMENTUM = 0.4  # of the new batch in the running means of batch norms
SCALE = 1 / 9  # of the logits


class Scaled(nn.Module):
    """(B, ...) -> (B, ...), times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x

    def extra_repr(self) -> str:
        return f"{self.factor:.3g}"


def airbench94(signal: Signal, n_classes: int) -> nn.Module:
    """(B, C, H, W) -> (B, K), the network of the speed records on CIFAR-10: 7 convolutions.

    A record is a network, an optimizer and fixed augmentations that were chosen together. This is
    the network, for comparisons in a fifth of the arithmetic of a ResNet-18.
    Raises UserError for EEG and images below 9 x 9.
    Source: Jordan 2024, "94% on CIFAR-10 in 3.29 seconds on a single GPU", section 3;
    KellerJordan/cifar10-airbench, legacy/airbench94.py.
    """
    require("airbench94", signal, "image", 9)
    # There these filters are made of the training images, to whiten them, and are not learned.
    # A trunk sees no data when it is built: it begins with random orthogonal ones, and learns them.
    first = nn.Conv2d(signal.n_channels, 8 * signal.n_channels, 2)
    _spread(first)
    modules: list[nn.Module] = [*input_layers(signal), first, nn.GELU()]
    n_in = first.out_channels
    for n_out in WIDTHS:
        modules += [
            _convolution(n_in, n_out),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(n_out, momentum=MOMENTUM),
            nn.GELU(),
            _convolution(n_out, n_out),
            nn.BatchNorm2d(n_out, momentum=MOMENTUM),
            nn.GELU(),
        ]
        n_in = n_out
    return nn.Sequential(
        *modules,
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(n_in, n_classes, bias=False),
        Scaled(SCALE),
    )


@torch.no_grad()
def _spread(first: nn.Conv2d) -> None:
    """Orthogonal filters, and the same with the other sign, as whitening ones are; no bias."""
    half = first.weight[: first.out_channels // 2]
    nn.init.orthogonal_(half)
    first.weight[len(half) :] = -half
    assert first.bias is not None
    first.bias.zero_()


@torch.no_grad()
def _convolution(n_in: int, n_out: int) -> nn.Conv2d:
    """Its first filters hand their channels on as they are, the others are drawn."""
    made = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
    nn.init.dirac_(made.weight[:n_in])
    return made

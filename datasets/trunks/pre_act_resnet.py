"""The residual network in which batch norm and ReLU come before the convolutions."""

from torch import Tensor, nn

from augbench.datasets.task import Signal
from augbench.datasets.trunks.trunk import input_layers, require


class PreActBlock(nn.Module):
    """(B, n_in, H, W) -> (B, n_out, H / stride, W / stride): two convolutions beside a shortcut.

    The first block of a stage lets its first batch norm and ReLU act on the shortcut too.
    Source: He et al. 2016b, figure 4e and appendix.
    """

    def __init__(self, n_in: int, n_out: int, stride: int, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.active = nn.Sequential(nn.BatchNorm2d(n_in), nn.ReLU())
        self.residual = nn.Sequential(
            _convolution(n_in, n_out, stride),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            _convolution(n_out, n_out, 1),
        )
        same = n_in == n_out and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        active: Tensor = self.active(x)
        out: Tensor = self.residual(active) + self.shortcut(active if self.first else x)
        return out


def pre_act_resnet18(signal: Signal, n_classes: int, *, n_filters: int = 64) -> nn.Module:
    """(B, C, H, W) -> (B, K), 18 layers for small images: no pooling before the blocks.

    ``n_filters`` are those of the first stage; each of the others has twice as many as the one
    before. Raises UserError for EEG and images below 8 x 8.
    Source: He et al. 2016b, Identity mappings in deep residual networks.
    """
    require("pre_act_resnet18", signal, "image", 8)
    n_in = n_filters
    modules = [*input_layers(signal), _convolution(signal.n_channels, n_in, 1)]
    for stage in range(4):
        n_out, stride = 2**stage * n_filters, 1 if stage == 0 else 2
        modules += [
            PreActBlock(n_in, n_out, stride, first=True),
            PreActBlock(n_out, n_out, 1, first=False),
        ]
        n_in = n_out
    # He et al. end in a batch norm and a ReLU, and the very first block's are the shortcut's too.
    # AugNet's code has neither: 11,171,146 parameters in place of 11,172,170 for 10 classes.
    return nn.Sequential(
        *modules,
        nn.BatchNorm2d(n_in),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(n_in, n_classes),
    )


def _convolution(n_in: int, n_out: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)

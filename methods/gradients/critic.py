"""A critic and a classifier on one trunk, and the penalty that keeps the critic's slopes at 1."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserError
from augbench.methods.gradients.batch_norm import FastTwice

N_HIDDEN = 64  # of the critic's head. The official one is as wide as the features: 128
PENALTY_WEIGHT = 10.0  # Source: Gulrajani et al. 2017; moskomule/dda


class CriticOutput(NamedTuple):
    """What a critic says of a batch."""

    realness: Tensor  # (B,), larger for what looks more like data
    logits: Tensor  # (B, n_classes)


class Critic(nn.Module):
    """A trunk whose last layer is widened: to its logits it adds features for a critic.

    ``critic(x)``: (B, ...) -> CriticOutput. Dropout stays off: it would make the slopes noisy.
    Raises a UserError for a trunk that does not end in a linear layer or a convolution.

    Source: Hataya et al. 2020 (Faster AutoAugment), section 3.3; moskomule/dda, for the heads.
    """

    def __init__(self, trunk: nn.Module, n_classes: int) -> None:
        super().__init__()
        self.n_classes = n_classes
        self.trunk = trunk
        _widen(trunk, N_HIDDEN)
        self.head = nn.Linear(N_HIDDEN, 1)

    def train(self, mode: bool = True) -> "Critic":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()
        return self

    def forward(self, x: Tensor) -> CriticOutput:
        out = self.trunk(x)
        logits, features = out[:, : self.n_classes], out[:, self.n_classes :]
        return CriticOutput(self.head(features.relu()).squeeze(1), logits)


def _widen(trunk: nn.Module, n_more: int) -> None:
    """Replace the last layer by one with more outputs; the first ones stay as they are."""
    names = [
        name for name, each in trunk.named_modules() if isinstance(each, nn.Linear | nn.Conv2d)
    ]
    last = trunk.get_submodule(names[-1]) if names and names[-1] else None
    if isinstance(last, nn.Linear):
        wide: nn.Linear | nn.Conv2d = nn.Linear(last.in_features, last.out_features + n_more)
    elif isinstance(last, nn.Conv2d) and last.stride == (1, 1) and last.padding == (0, 0):
        size = (last.kernel_size[0], last.kernel_size[1])
        wide = nn.Conv2d(last.in_channels, last.out_channels + n_more, size)
    else:
        raise UserError(
            "Faster AutoAugment puts its critic on the last layer of the trunk, which has to be "
            "linear or a convolution inside a larger module; choose another `trunk`"
        )
    wide = wide.to(last.weight.device)
    n_outputs = len(last.weight)
    assert wide.bias is not None
    with torch.no_grad():
        wide.weight[:n_outputs] = last.weight
        wide.bias[:n_outputs] = 0.0 if last.bias is None else last.bias
    parent, _, own = names[-1].rpartition(".")
    setattr(trunk.get_submodule(parent), own, wide)


def gradient_penalty(critic: nn.Module, real: Tensor, moved: Tensor, place: Tensor) -> Tensor:
    """How far the critic's slopes are from 1 between two batches, (B, ...); ``place`` is (B,).

    The norm is over all entries of a sample. moskomule/dda takes it over the channels of each
    pixel: for images of 32 x 32 a critic of slope 1 then pays 0.94 of 1. In a trunk with batch norm
    the samples of a batch act on each other's slopes, as in the official code: the cosine with a
    sample's own slope is 0.98 on EEGNet and 0.53 on a ResNet-18.

    Source: Gulrajani et al. 2017, equation 3.
    """
    weight = place.reshape(-1, *[1] * (real.ndim - 1))
    between = torch.lerp(real.detach(), moved.detach(), weight).requires_grad_()
    with FastTwice():
        realness = critic(between).realness.sum()
    (slope,) = torch.autograd.grad(realness, between, create_graph=True)
    penalty: Tensor = (torch.linalg.vector_norm(slope.flatten(1), dim=1) - 1).square().mean()
    return penalty

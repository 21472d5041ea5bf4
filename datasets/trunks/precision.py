"""The precision of a trunk."""

import torch
from torch import Tensor, nn


class InBfloat16(nn.Module):
    """A trunk whose products are in bfloat16, with weights, gradients and logits in float32.

    (B, ...) -> (B, K). Layers before the trunk keep their precision: 8 bits are too few for the
    grid of a warp.
    """

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            logits: Tensor = self.trunk(x)
        return logits.float()

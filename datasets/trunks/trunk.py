"""The contract of a trunk, and what all trunks share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Normalisation, Signal

# Takes x (B, C, T) or (B, C, H, W) and gives logits (B, K), without a softmax. Hypergradients need
# that it can be differentiated twice, and that forward does not change the weights.
Trunk = Callable[[Signal, int], nn.Module]


def require(trunk: str, signal: Signal, kind: Kind, least: int) -> None:
    """Raise UserError if the signal is of another kind or too short."""
    what = {"eeg": "EEG", "image": "images"}
    if signal.kind != kind:
        raise UserError(
            f"trunk {trunk!r} is for {what[kind]} and was given {what[signal.kind]}: choose another"
        )
    shortest = min(signal.shape[1:])
    if shortest < least:
        unit = "samples" if kind == "eeg" else "pixels a side"
        raise UserError(
            f"trunk {trunk!r} needs at least {least} {unit} and was given {shortest}: "
            "choose another"
        )


class Normalise(nn.Module):
    """(B, C, H, W) -> the same shape: subtract each channel's mean, divide by its deviation."""

    means: Tensor  # (C, 1, 1)
    deviations: Tensor  # (C, 1, 1)

    def __init__(self, normalisation: Normalisation) -> None:
        super().__init__()
        for name, numbers in normalisation._asdict().items():
            self.register_buffer(name, torch.tensor(numbers).reshape(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.means) / self.deviations


def input_layers(signal: Signal) -> list[nn.Module]:
    """The first layers of a trunk for images: the normalisation, if the signal has one."""
    if signal.normalisation is None:
        return []
    assert [len(numbers) for numbers in signal.normalisation] == [signal.n_channels] * 2
    return [Normalise(signal.normalisation)]

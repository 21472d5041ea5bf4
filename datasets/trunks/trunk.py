"""What a trunk is, and what all of them share."""

from collections.abc import Callable

from torch import nn

from datasets.errors import UserError
from datasets.task import Kind, Signal

# Takes x (B, C, T) or (B, C, H, W) and gives logits (B, K): no softmax, the loss brings it. It can
# be differentiated twice, and forward leaves the weights alone, as hypergradients need it.
Trunk = Callable[[Signal, int], nn.Module]


def require(trunk: str, signal: Signal, kind: Kind, least: int) -> None:
    """Raise UserError unless the signal is of the kind and its sides are long enough."""
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

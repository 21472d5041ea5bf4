"""How a validation loss depends on the batch that a trunk learned from one step before."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from datasets.seeds import Seeds, global_seed
from datasets.task import Split

Weights = Mapping[str, Tensor]


class Hypergradient(NamedTuple):
    """The derivative of the validation loss after one step of gradient descent, ``rate`` included.

    A policy reaches that loss through the batch alone, since what validates is not augmented. So
    this is all that one needs to know of it: by the chain rule through ``x`` for what changes
    inputs smoothly, and as a reward (to be made small) through ``samples`` for what is drawn.
    """

    x: Tensor  # (B, ...), by the inputs
    samples: Tensor  # (B,), by the weight of each sample in the training loss


def hypergradient(
    model: nn.Module,
    train: Split,
    valid: Split,
    *,
    rate: float,
    class_weights: Tensor | None,
    seeds: Seeds,
    radius: float | None = None,
) -> Hypergradient:
    """By a second backward pass; with a ``radius`` by central finite differences.

    One descent step of ``rate`` on ``train``, of which ``valid`` judges the weights. ``model`` and
    its buffers stay as they are. All passes over ``train`` share one stream of dropout masks:
    without that a difference of two losses is noise. Batch-norm ties samples together; what a
    sample does to the losses of others counts in ``x`` but not in ``samples``.

    Where the trunk has kinks (ReLU, max-pooling) its slope jumps as inputs move, and a derivative
    does not see jumps: ``x`` by a second backward pass then leaves out a part, which differences
    that reach across kinks do not. Mean slopes of <v, dL> in the magnitude of a rotation, digits on
    small_conv_net: -0.143, of which the second pass finds -0.047 and a radius of 0.1 -0.151; on
    EEGNet (ELU) both agree with it. ``samples`` has no such gap, for losses do not jump.

    Source: Liu et al. 2019 (DARTS), equations 6 to 8; Li et al. 2020 (DADA), section 3.3; Rommel et
    al. 2022 (CADDA), algorithm 1.
    """
    weights = {name: each for name, each in model.named_parameters() if each.requires_grad}
    x = train.x.detach().requires_grad_()
    share = torch.ones(len(x), device=x.device, dtype=x.dtype, requires_grad=True)

    def losses(at: Weights, split: Split, stream: str) -> Tensor:  # (B,), whose sum is the loss
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with global_seed(seeds.integer(stream), x.device):  # of dropout
            logits = functional_call(model, {**at, **buffers}, (split.x,))
        each = F.cross_entropy(logits, split.y, weight=class_weights, reduction="none")
        total = len(each) if class_weights is None else class_weights[split.y].sum()
        return each / total

    def slopes(loss: Tensor, by: list[Tensor], *, create_graph: bool = False) -> list[Tensor]:
        return list(
            torch.autograd.grad(loss, by, create_graph=create_graph, materialize_grads=True)
        )

    learned = (share * losses(weights, Split(x, train.y), "train")).sum()
    descent = slopes(learned, [*weights.values()], create_graph=radius is None)
    after = {
        name: (each - rate * slope).detach().requires_grad_()
        for (name, each), slope in zip(weights.items(), descent, strict=True)
    }
    direction = slopes(losses(after, valid, "valid").sum(), [*after.values()])
    if radius is None:
        along = torch.stack([(v * g).sum() for v, g in zip(direction, descent, strict=True)]).sum()
        by_x, by_share = slopes(along, [x, share])
    else:
        norm = torch.stack([v.square().sum() for v in direction]).sum().sqrt()
        epsilon = radius / norm.clamp(min=torch.finfo(norm.dtype).tiny)

        def beside(sign: int) -> tuple[Tensor, Tensor]:
            moved = {
                name: (each + sign * epsilon * v).detach()
                for (name, each), v in zip(weights.items(), direction, strict=True)
            }
            each = losses(moved, Split(x, train.y), "train")
            return slopes(each.sum(), [x])[0], each.detach()

        (x_above, above), (x_below, below) = beside(1), beside(-1)
        by_x, by_share = (x_above - x_below) / (2 * epsilon), (above - below) / (2 * epsilon)
    return Hypergradient(-rate * by_x, -rate * by_share)

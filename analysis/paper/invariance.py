"""How invariant a model is to an operation: equation 4 of the paper."""

import torch
from torch import Generator, Tensor

BARELY = 1e-8  # added to the baseline distance, as in the official code: a constant model has 0


def invariances(outputs: Tensor, moved: Tensor, generator: Generator) -> Tensor:
    """(N, K) outputs before the softmax for N inputs, and for moved ones -> (N,), at most 1.

    1 means that moving an input changes nothing; 0, that it changes as much as taking another
    input. Needs two inputs.
    Source: AugNet, equation 4; Bouchacourt et al. 2021. Unlike the official code, no input is its
    own baseline, which would have the distance 0.
    """
    assert len(outputs) > 1
    order = torch.randperm(len(outputs), generator=generator)
    others = torch.empty_like(order)
    others[order] = order.roll(1)  # one cycle: none is its own
    baseline = cosine_distances(outputs, outputs[others])
    distance = cosine_distances(outputs, moved)
    return (baseline - distance) / (baseline + BARELY)


def cosine_distances(first: Tensor, second: Tensor) -> Tensor:
    """(N, K), (N, K) -> (N,), 1 minus the cosine, from 0 to 2."""
    return 1 - torch.cosine_similarity(first.double(), second.double(), dim=1)

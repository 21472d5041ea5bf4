"""A span that is taken out along an axis of samples or frequencies, with smooth edges."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from augbench.datasets.forward_mode import apply_function
from augbench.methods.transforms.constants import DeviceConstant


class SmoothDip:
    """-1 between two edges, 0 outside, as sigmoids go there; exactly 0 for a span of length 0.

    It begins at ``place + before * length`` and ends at ``place + after * length``.
    """

    def __init__(self, *, before: float, after: float) -> None:
        self.edges = (after, before)
        # The derivatives of both edges by place and length, with the signs that the curves have.
        self.slopes = DeviceConstant(torch.tensor([[-1.0, -after], [1.0, before]]))

    def __call__(self, axis: Tensor, place: Tensor, length: Tensor, steepness: float) -> Tensor:
        """(N,), (B, 1, 1), (B, 1, 1) -> (B, 1, N): the sigmoids have that steepness."""
        slopes = self.slopes(axis)
        result: Tensor = apply_function(_Dip, axis, place, length, self.edges, slopes, steepness)[0]
        return result


class _Dip(Function):
    """The dip, and the sigmoids of both edges (B, 2, N)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        axis: Tensor,
        place: Tensor,
        length: Tensor,
        edges: tuple[float, float],
        slopes: Tensor,
        steepness: float,
    ) -> tuple[Tensor, Tensor]:
        start = axis - place
        # Each curve in an array of its own: torch's sigmoid of a number differs by a bit with its
        # place in an array, and the curves of a span of length 0 have to be the same.
        beyond = [torch.sub(start, length, alpha=edge).mul_(steepness) for edge in edges]
        curves = torch.cat([each.sigmoid_() for each in beyond], dim=1)
        return curves[:, :1] - curves[:, 1:], curves

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(output[1], inputs[4])
        ctx.steepness = inputs[5]
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(
        ctx: Any, slope: Tensor | None, by_curves: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        curves, slopes = ctx.saved_tensors
        sums = None
        if slope is not None:
            sums = torch.ops.aten.sigmoid_backward(slope.expand_as(curves), curves).sum(-1)
        if by_curves is not None:  # in a derivative of this derivative
            more = torch.ops.aten.sigmoid_backward(by_curves, curves).sum(-1)
            signed = torch.stack([more[..., 0], -more[..., 1]], dim=-1)
            sums = signed if sums is None else sums + signed
        if sums is None:
            return None, None, None, None, None, None
        both = torch.addmm(sums, sums, slopes, beta=0, alpha=ctx.steepness)
        by_place, by_length = both[..., None, None].unbind(1)
        return None, by_place, by_length, None, None, None

"""Batch norm that is fast to differentiate twice.

torch has no kernel for its second derivative, and composes it of 34 calls with several passes over
memory each; here there are eight. The outputs and the first derivative are torch's, on a CPU in the
same bits. It has no third derivative.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

_kernel = torch.ops.aten.native_batch_norm_backward


class FastTwice(TorchFunctionMode):
    """Within this context the batch norms of any network that trains are such ones.

    In what is differentiated once they would gain nothing: they take more calls from Python.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.batch_norm:
            return _batch_norm(*args, **kwargs)
        return func(*args, **kwargs)


def _batch_norm(
    x: Tensor,  # (B, C, ...)
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """What `torch.nn.functional.batch_norm` gives, which does the rest itself."""
    n_values = x.numel() // x.shape[1]
    if not training or weight is None or bias is None or n_values < 2:
        return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
    return _norm(x, weight, bias, running_mean, running_var, momentum, eps)[0]


class _Norm(Function):
    """x (B, C, ...), weight and bias (C,) -> the same shape; the mean (C,); 1 / deviation (C,)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, *rest: Any) -> Any:
        running_mean, running_var, momentum, eps = rest
        y, mean, scale = torch.native_batch_norm(
            x, weight, bias, running_mean, running_var, True, momentum, eps
        )
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.mark_non_differentiable(mean, scale)
        return y, mean, scale

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        return *_slopes(g, *ctx.saved_tensors), None, None, None, None


class _Slopes(Function):
    """g and x (B, C, ...), weight, mean and scale (C,) -> the slopes by x, weight and bias.

    With z = (x - mean) scale, E the mean of a channel, and n values in it, they are
    weight scale (g - E[g] - z E[gz]), n E[gz] and n E[g].
    """

    @staticmethod
    def forward(
        ctx: Any, g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        by_x, by_weight, by_bias = _kernel(
            g, x, weight, None, None, mean, scale, True, 0.0, [True, True, True]
        )
        ctx.save_for_backward(g, x, weight, mean, scale, by_weight, by_bias)
        return by_x, by_weight, by_bias

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, h: Tensor, h_weight: Tensor, h_bias: Tensor
    ) -> tuple[Tensor | None, ...]:
        """The slopes of s = <h, by_x> + <h_weight, by_weight> + <h_bias, by_bias>."""
        g, x, weight, mean, scale, n_gz, n_g = ctx.saved_tensors
        n = x.numel() // x.shape[1]
        # by_x is a symmetric matrix times g. So s has the slope h times that matrix in g, and the
        # kernel gives it, for weights of 1, together with the sums of h.
        cleared, n_hz, n_h = _kernel(
            h, x, None, None, None, mean, scale, True, 0.0, [True, True, True]
        )
        of_z = h_weight * scale
        by_g = torch.addcmul(_spread(h_bias - of_z * mean, x), x, _spread(of_z, x))
        by_g = by_g.addcmul_(cleared, _spread(weight, x))

        each = [d for d in range(x.ndim) if d != 1]
        e_h, e_g, e_hz, e_gz = n_h / n, n_g / n, n_hz / n, n_gz / n
        by_weight = (g * cleared).sum(each, dtype=mean.dtype)
        # For fixed weights and scales, the slope in z is a h + b g. It goes on to x through mean
        # and scale, as in any batch norm; what s depends on scale alone adds a multiple of z.
        a = -weight * scale * e_gz
        b = h_weight - weight * scale * e_hz
        along_z = a * e_hz + b * e_gz + weight * by_weight / n
        by_x = torch.addcmul(
            _spread(scale * (scale * mean * along_z - a * e_h - b * e_g), x),
            x,
            _spread(-scale * scale * along_z, x),
        )
        by_x = by_x.addcmul_(h, _spread(scale * a, x)).addcmul_(g, _spread(scale * b, x))
        return by_g.to(x.dtype), by_x.to(x.dtype), by_weight, None, None


def _spread(numbers: Tensor, x: Tensor) -> Tensor:
    """(C,) -> (1, C, 1, ...), as many dimensions as x has."""
    return numbers.view(1, -1, *[1] * (x.ndim - 2))


_norm: Callable[..., tuple[Tensor, Tensor, Tensor]] = _Norm.apply
_slopes: Callable[..., tuple[Tensor, Tensor, Tensor]] = _Slopes.apply

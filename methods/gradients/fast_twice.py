"""Networks that are fast to differentiate twice."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.overrides import TorchFunctionMode

from augbench.methods.gradients.batch_norm import batch_norm

_kernel = torch.ops.aten.threshold_backward


class FastTwice(TorchFunctionMode):
    """Within this context batch norm and ReLU, of any network, have fast second derivatives.

    In what is differentiated once they would gain nothing: they take more calls from Python.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.batch_norm:
            return batch_norm(*args, **kwargs)
        if func in (F.relu, torch.relu, Tensor.relu) and args:
            return _relu(args[0])
        return func(*args, **kwargs)


class _Relu(Function):
    """Its second derivative in x is nothing. torch's is zeros, which go all the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        y = torch.relu(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        return _relu_slope(g, ctx.saved_tensors[0].detach())


class _ReluSlope(Function):
    """g and the output of a ReLU -> g where that is not 0, which is linear in g."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        slope: Tensor = _kernel(g, y, 0)
        return slope

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> tuple[Tensor, None]:
        return _relu_slope(h, ctx.saved_tensors[0]), None


_relu: Callable[[Tensor], Tensor] = _Relu.apply
_relu_slope: Callable[[Tensor, Tensor], Tensor] = _ReluSlope.apply

"""Whether the gradient of a magnitude is the slope that finite differences show."""

from typing import NamedTuple

import torch
from torch import Tensor

from augbench.methods.transforms.transform import Transform

STEP = 1e-6  # of finite differences
LEAST_SLOPE = 1e-3  # of a loss that moves


class Slopes(NamedTuple):
    """How many pairs of sample and magnitude have a smooth slope, a wrong one, one that moves."""

    n_smooth: int
    n_wrong: int
    n_moving: int
    worst: tuple[float, float, float]  # a magnitude, its gradient, its slope

    @property
    def equal(self) -> bool:
        """Whether gradients are slopes; a kink may lie between two steps."""
        return self.n_wrong <= self.n_smooth / 100


def compare_slopes(transform: Transform, x: Tensor, noise: Tensor, n_magnitudes: int) -> Slopes:
    """The gradient and the slope of a loss, where the loss is smooth. x is (B, ...), float64."""
    g = torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=x.dtype)

    def loss(m: Tensor) -> Tensor:
        return (g * transform.apply(x, m, noise)).flatten(1).sum(1)

    def slope(m: Tensor, step: float) -> Tensor:
        return (loss(m + step) - loss(m - step)) / (2 * step)

    n_smooth = n_wrong = n_moving = 0
    worst = (0.0, 0.0, 0.0)
    for value in torch.linspace(0.02, 0.98, n_magnitudes, dtype=x.dtype).tolist():
        magnitude = torch.full((len(x),), value, dtype=x.dtype, requires_grad=True)
        (gradient,) = torch.autograd.grad(loss(magnitude).sum(), magnitude)
        with torch.no_grad():
            fine, coarse = slope(magnitude, STEP), slope(magnitude, 4 * STEP)
        close = 1e-4 + 1e-3 * fine.abs()
        smooth = (fine - coarse).abs() <= close
        wrong = smooth & ~((gradient - fine).abs() <= 2 * close)
        n_smooth += int(smooth.sum())
        n_moving += int((smooth & (fine.abs() > LEAST_SLOPE)).sum())
        if wrong.any():
            n_wrong += int(wrong.sum())
            at = int(wrong.nonzero()[0])
            worst = (value, float(gradient[at]), float(fine[at]))
    return Slopes(n_smooth, n_wrong, n_moving, worst)


def finite_gradient(transform: Transform, x: Tensor, noise: Tensor) -> float | None:
    """The first magnitude, of some, at which the gradient is NaN or infinite; None if none is."""
    for value in (0.0, 1e-7, 0.3, 1 - 1e-7, 1.0):
        magnitude = torch.full((len(x),), value, requires_grad=True)
        squares = transform.apply(x, magnitude, noise).square().sum()
        (gradient,) = torch.autograd.grad(squares + 0 * magnitude.sum(), magnitude)
        if not torch.isfinite(gradient).all():
            return value
    return None

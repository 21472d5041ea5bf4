"""The gradient of a transform's magnitude is the one that its row declares."""

import torch
from torch import Tensor

from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.transform_case import BATCH, Case

N_SLOPES = 48  # magnitudes at which gradients are compared
STEP = 1e-6  # of finite differences


def gradient_is_as_declared(case: Case) -> str:
    """The magnitude has the gradient that the row declares, and finite everywhere."""
    declared = case.transform.gradient
    x = case.batch()
    magnitude = torch.full((BATCH,), 0.5, requires_grad=True)
    out = case.transform.apply(x, magnitude, case.draw(x))
    if declared == "none":
        if out.requires_grad and torch.autograd.grad(out.sum(), magnitude)[0].any():
            raise BrokenError(
                "it declares no gradient, but its magnitude gets one: declare 'path', which is "
                "compared with differences, or detach()"
            )
        return "none, as declared"
    if not out.requires_grad:
        raise BrokenError(
            f"it declares {declared!r}, but its magnitude gets no gradient: compute with tensors "
            "alone, without detach(), rounding or comparisons; or declare gradient='none'"
        )
    for value in (0.0, 1e-7, 0.3, 1 - 1e-7, 1.0):
        magnitude = torch.full((BATCH,), value, requires_grad=True)
        squares = case.transform.apply(x, magnitude, case.draw(x)).square().sum()
        if not torch.isfinite(
            torch.autograd.grad(squares + 0 * magnitude.sum(), magnitude)[0]
        ).all():
            raise BrokenError(f"the gradient at magnitude {value:g} is NaN or infinite")
    if declared == "straight-through":
        return "straight through a step, finite everywhere"
    return _compare_with_differences(case)


def _compare_with_differences(case: Case) -> str:
    """The gradient and the slope of the loss, where the loss is smooth."""
    x = case.batch(dtype=torch.float64)
    noise = case.draw(x)
    g = torch.randn(x.shape, generator=torch.Generator().manual_seed(2), dtype=x.dtype)

    def loss(m: Tensor) -> Tensor:
        return (g * case.transform.apply(x, m, noise)).flatten(1).sum(1)

    def slope(m: Tensor, step: float) -> Tensor:
        return (loss(m + step) - loss(m - step)) / (2 * step)

    n_smooth = n_wrong = n_moving = 0
    worst = (0.0, 0.0, 0.0)
    for value in torch.linspace(0.02, 0.98, N_SLOPES, dtype=x.dtype).tolist():
        magnitude = torch.full((BATCH,), value, dtype=x.dtype, requires_grad=True)
        (gradient,) = torch.autograd.grad(loss(magnitude).sum(), magnitude)
        with torch.no_grad():
            fine, coarse = slope(magnitude, STEP), slope(magnitude, 4 * STEP)
        close = 1e-4 + 1e-3 * fine.abs()
        smooth = (fine - coarse).abs() <= close
        wrong = smooth & ~((gradient - fine).abs() <= 2 * close)
        n_smooth += int(smooth.sum())
        n_moving += int((smooth & (fine.abs() > 1e-3)).sum())
        if wrong.any():
            n_wrong += int(wrong.sum())
            at = int(wrong.nonzero()[0])
            worst = (value, float(gradient[at]), float(fine[at]))
    if n_wrong > n_smooth / 100:  # a kink may lie between two steps
        raise BrokenError(
            f"its gradient is not the slope: at magnitude {worst[0]:.2f} it is {worst[1]:.4g}, and "
            f"finite differences give {worst[2]:.4g}; differentiate the same numbers that "
            "apply() computes with, or declare 'straight-through' or 'none'"
        )
    if not n_moving:
        raise BrokenError("the slope of the result is 0 at all magnitudes: declare gradient='none'")
    return f"{case.transform.gradient}, equal to finite differences"

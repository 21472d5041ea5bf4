"""The gradient of a transform's magnitude is the one that its row declares."""

import torch

from augbench.methods.conformance.finding import BrokenError
from augbench.methods.conformance.transform_case import BATCH, Case
from augbench.methods.transforms.slopes import compare_slopes, finite_gradient

N_SLOPES = 48  # magnitudes at which gradients are compared


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
    infinite = finite_gradient(case.transform, x, case.draw(x))
    if infinite is not None:
        raise BrokenError(f"the gradient at magnitude {infinite:g} is NaN or infinite")
    if declared == "straight-through":
        return "straight through a step, finite everywhere"
    return _compare_with_differences(case)


def _compare_with_differences(case: Case) -> str:
    """The gradient and the slope of the loss, where the loss is smooth."""
    x = case.batch(dtype=torch.float64)
    slopes = compare_slopes(case.transform, x, case.draw(x), N_SLOPES)
    if not slopes.equal:
        at, gradient, slope = slopes.worst
        raise BrokenError(
            f"its gradient is not the slope: at magnitude {at:.2f} it is {gradient:.4g}, and "
            f"finite differences give {slope:.4g}; differentiate the same numbers that "
            "apply() computes with, or declare 'straight-through' or 'none'"
        )
    if not slopes.n_moving:
        raise BrokenError("the slope of the result is 0 at all magnitudes: declare gradient='none'")
    return f"{case.transform.gradient}, equal to finite differences"

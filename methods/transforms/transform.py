"""The contract of a transform: first draw the noise, then apply it deterministically."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Generator, Tensor
from torch.autograd.function import Function

from augbench.datasets.forward_mode import apply_function, is_in_forward_mode
from augbench.methods.options.imported import ImportedOptions

Gradient = Literal["path", "relaxed", "straight-through", "none"]


@dataclass(frozen=True)
class Transform:
    """One operation, bound to a signal (its sampling rate, channel names, size).

    ``draw(x, generator) -> noise`` draws all that is random, of shape (B, ...), on x's device.
    ``apply(x, magnitude, noise) -> x`` is deterministic, leaves x untouched, and keeps shape, dtype
    and device; ``magnitude`` is (B,) in [0, 1], 0 the identity and 1 the strongest. Equal noise
    gives equal results: common random numbers and exact resumption depend on it.

    A graded transform maps the magnitude linearly from 0 to ``strongest`` in ``unit``. An ungraded
    one (a flip, a time reversal) has no strength: its magnitude is the *probability* of being
    applied, relaxed (``relaxed_bernoulli``) so that the probability has a gradient; at 0 and 1 it
    is exact.

    ``gradient`` says how the magnitude gets one: by the pathwise derivative, through the relaxed
    Bernoulli, straight through a discrete choice, or not at all.

    For a transform that only moves the pixels of an image, ``affine(x, magnitude, noise)``
    says where each pixel comes from, as ``torch.nn.functional.affine_grid`` takes it, (B, 2, 3), so
    that several of them can share the sampling. A transform that ``mixes`` samples looks at
    others of the batch: it is for training, and what is predicted must not depend on it.

    ``imported`` says what an augmentation of another library was made of. A transform that
    ``waits`` reads values of tensors, for which a GPU stops.

    With ``draws_strength`` the noise holds the strength that acts, uniform up to the magnitude (to
    either side, where there are two): a rotation by an angle in +-magnitude. Otherwise the
    magnitude is the strength: the deviation of a noise.

    A transform goes with its model or policy into files, copies and DataLoader workers. So its
    functions are functions of a module, or partials of them: Python can pickle neither a lambda nor
    a function inside another one.
    """

    name: str
    graded: bool
    gradient: Gradient
    strongest: float  # the argument at magnitude 1, in `unit`
    unit: str
    source: str
    draw: Callable[[Tensor, Generator | None], Tensor] = field(repr=False)
    apply: Callable[[Tensor, Tensor, Tensor], Tensor] = field(repr=False)
    affine: Callable[[Tensor, Tensor, Tensor], Tensor] | None = field(default=None, repr=False)
    mixes: bool = False
    draws_strength: bool = False
    imported: ImportedOptions | None = field(default=None, repr=False, compare=False)
    waits: bool = False


# Takes a signal, and for a graded transform the keyword ``strongest``.
Builder = Callable[..., Transform]


def has_derivative(x: Tensor) -> bool:
    """Whether a derivative by x may be wanted, backward or forward."""
    return x.requires_grad or is_in_forward_mode()


def per_sample(values: Tensor, x: Tensor) -> Tensor:
    """(B,) -> (B, 1, ...) in x's dtype, ready to broadcast over the samples of x (B, ...)."""
    return values.reshape(-1, *[1] * (x.ndim - 1)).to(x.dtype)


def without_autocast(x: Tensor) -> AbstractContextManager[Any]:
    """Within it autocast rounds nothing: x is augmented in its own type, whatever its trunk has.

    A product of matrices that only moves channels or pixels would lose digits otherwise.
    """
    device = x.device.type
    if not torch.amp.is_autocast_available(device):  # as for the meta device
        return nullcontext()
    return torch.autocast(device, enabled=False)


def draw_uniform(x: Tensor, generator: Generator | None, *sizes: int) -> Tensor:
    """(B, ...) -> (B, *sizes), uniform in [0, 1)."""
    shape = (len(x), *sizes)
    # In code that is compiled for batches of any size torch takes no generator, not even None.
    if generator is None:
        return torch.rand(shape, dtype=x.dtype, device=x.device)
    return torch.rand(shape, generator=generator, dtype=x.dtype, device=x.device)


def draw_normal(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, ...) -> (B, ...), standard normal."""
    if generator is None:  # as in `draw_uniform`
        return torch.randn(x.shape, dtype=x.dtype, device=x.device)
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)


def draw_signed(x: Tensor, generator: Generator | None) -> Tensor:
    """(B, ...) -> (B,), uniform in [-1, 1)."""
    return 2 * draw_uniform(x, generator) - 1


def relaxed_bernoulli(probability: Tensor, uniform: Tensor, temperature: float = 0.05) -> Tensor:
    """Nearly 1 where ``uniform`` > 1 - ``probability``, nearly 0 elsewhere, smooth in between.

    (B,), (B,) -> (B,). Exactly 0 at probability 0 and exactly 1 at probability 1. There it has no
    gradient, though close to them the mean gradient is as elsewhere: a probability that is learned
    has to stay inside. The gradient is finite everywhere; ``uniform`` gets none.

    Source: Maddison et al. 2017, "The Concrete Distribution", equation 8 for two classes; the
    temperature is that of AugNet's EEG transforms.
    """
    uniform = uniform.to(probability.dtype)
    soft: Tensor = apply_function(_RelaxedBernoulli, probability, uniform, temperature)
    return soft


class _RelaxedBernoulli(Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(probability: Tensor, uniform: Tensor, temperature: float) -> Tensor:
        # The logit of 0 is minus infinity, that of 1 infinity; the noise is finite.
        noise = torch.logit(uniform, torch.finfo(uniform.dtype).eps)
        logit = torch.logit(probability.clamp(0, 1))
        return torch.sigmoid((logit + noise) / temperature)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, float], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)
        ctx.temperature = inputs[2]

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        probability, soft = ctx.saved_tensors
        by_logit = torch.ops.aten.sigmoid_backward(slope, soft) / ctx.temperature
        margin = torch.finfo(soft.dtype).eps
        if not torch.is_grad_enabled():  # this one cannot be differentiated
            return torch.ops.aten.logit_backward(by_logit, probability, margin), None, None
        inside = probability.clamp(margin, 1 - margin)  # at 0 and 1 the slope of the sigmoid is 0
        return by_logit / (inside * (1 - inside)), None, None

"""Whether derivatives are taken forward, as `torch.func.jvp` and `torch.func.jacfwd` do."""

from typing import Any

from torch.autograd import forward_ad
from torch.autograd.function import Function


def is_in_forward_mode() -> bool:
    """Whether tensors may carry tangents now: then plain operations have to do all the work.

    A custom `torch.autograd.Function` would need a ``jvp``; torch.compile refuses those that have
    one. So fast ways that go through such functions are for the other times.
    """
    return forward_ad._current_level >= 0  # there is no public word for it


def apply_function(function: type[Function], *arguments: Any) -> Any:
    """``function.apply``, or in forward mode the plain operations of its ``forward``."""
    if is_in_forward_mode():
        return function.forward(*arguments)
    return function.apply(*arguments)

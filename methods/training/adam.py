"""torch's Adam for processes that compile nothing, which start a second earlier without Dynamo."""

from collections.abc import Callable
from inspect import unwrap

import torch


class Adam(torch.optim.Adam):
    """torch.optim.Adam, bit for bit, whose methods run as they are written.

    torch wraps them so that a compiled program leaves them out, and imports its compiler to do so,
    in 1.2 s of a processor and 70 MB of each process. Do not call them in a compiled function.
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)
    state_dict = unwrap(torch.optim.Adam.state_dict)
    load_state_dict = unwrap(torch.optim.Adam.load_state_dict)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Move the parameters by their gradients."""
        loss: float | None = unwrap(torch.optim.Adam.step)(self, closure)
        return loss

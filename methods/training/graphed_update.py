"""The update of a trunk as one CUDA graph, which a GPU replays without waiting for Python.

A trunk for EEG has some hundred small kernels in a training step. Launched one by one by Python
they take longer than they run; recorded once, they are launched together.
"""

import os
import random
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from augbench.datasets.errors import UserNotice
from augbench.datasets.trunks.cuda_graph import recording

Update = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]  # x (B, ...), y (B,) -> (), ()

VARIABLE = "AUGBENCH_CUDA_GRAPHS"  # 0 turns them off
WARM_UPS = 3  # updates before a recording, in which libraries set themselves up


class GraphedUpdate:
    """An update for batches of one shape, recorded when it is made.

    ``graphed(x, y)`` does what ``update(x, y)`` does to the model and the optimizer, with new noise
    from torch's global generator each time, and returns the same tensors, which the next call
    overwrites. The recording leaves the model and the optimizer as they were. The optimizer has to
    be ``capturable``, with learning rates that are tensors on the device.

    Raises a RuntimeError if the update cannot be recorded: it waits for the GPU, its shapes depend
    on the values of tensors, or it would do the same again at each replay, since the model draws
    numbers on the CPU or puts new tensors in the places of buffers.

    Source: torch.cuda.CUDAGraph; PyTorch's notes on CUDA graphs, "whole-network capture".
    """

    def __init__(
        self, update: Update, x: Tensor, y: Tensor, model: nn.Module, optimizer: torch.optim.Adam
    ) -> None:
        # The last batch of an epoch runs on another stream than the recording, as it may.
        with suppress(AttributeError):  # before torch 2.10
            torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)
        self.x, self.y = x.clone(), y.clone()
        self.made_for = shape_of(model, x)
        self.graph = torch.cuda.CUDAGraph()
        side = torch.cuda.Stream(x.device)
        with recording(), torch.random.fork_rng(devices=[x.device.index or 0]):
            self._warm_up(update, model, optimizer, side)
            try:
                with torch.cuda.graph(self.graph, stream=side):  # which runs nothing
                    self.out = update(self.x, self.y)
            except BaseException:
                _end_recording(x.device)
                raise
        optimizer.zero_grad(set_to_none=True)

    def _warm_up(
        self,
        update: Update,
        model: nn.Module,
        optimizer: torch.optim.Adam,
        side: torch.cuda.Stream,
    ) -> None:
        before = [*model.parameters(), *model.buffers(), *_states(optimizer)]
        kept = [tensor.clone() for tensor in before]
        buffers, drawn = _own_buffers(model), _cpu_generators()
        current = torch.cuda.current_stream()
        side.wait_stream(current)
        try:
            with torch.cuda.stream(side):
                for _ in range(WARM_UPS):
                    update(self.x, self.y)
        finally:
            current.wait_stream(side)
            _put_back(before, kept, optimizer)
            changed = put_back_buffers(model, buffers)
            model.train()  # layers find their operations again
        if changed:
            raise RuntimeError(f"its forward pass replaces the buffer {changed[0]!r}")
        if _cpu_generators() != drawn:
            raise RuntimeError("its forward pass draws numbers on the CPU")

    def __call__(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()
        return self.out


def shape_of(model: nn.Module, x: Tensor) -> tuple[Any, ...]:
    """What Python decides in an update: a graph that was recorded for another has to be remade.

    The shape of the batch, which parameters learn, and which operations layers use.
    """
    learns = tuple(parameter.requires_grad for parameter in model.parameters())
    used = tuple(tuple(getattr(module, "used", ())) for module in model.modules())
    return x.shape, learns, used


def wanted(device: torch.device) -> bool:
    """Whether updates are to be recorded: on a GPU, unless AUGBENCH_CUDA_GRAPHS is 0."""
    return device.type == "cuda" and os.environ.get(VARIABLE, "1") != "0"


def warn_not_recorded(error: RuntimeError) -> None:
    """Say that a trunk trains without a graph, and why."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    warnings.warn(
        f"this trunk cannot be recorded as a CUDA graph, so that it trains more slowly ({reason}); "
        f"{VARIABLE}=0 does not try",
        UserNotice,
        stacklevel=3,
    )


def _end_recording(device: torch.device) -> None:
    """Free torch's generator, which takes a recording that failed for one that goes on.

    It would refuse each later draw. A recording that ends well lets it go.
    """
    with torch.cuda.graph(torch.cuda.CUDAGraph()):
        torch.zeros(1, device=device)


def _own_buffers(model: nn.Module) -> dict[tuple[nn.Module, str], Tensor | None]:
    """The buffers of all modules but augmentation layers, which find theirs again by themselves."""
    return {
        (module, name): buffer
        for module in model.modules()
        if not hasattr(module, "used")
        for name, buffer in module._buffers.items()
    }


def put_back_buffers(
    model: nn.Module, before: dict[tuple[nn.Module, str], Tensor | None]
) -> list[str]:
    """Put the tensors back that were replaced since; the names of their buffers."""
    replaced = []
    for (module, name), buffer in _own_buffers(model).items():
        if buffer is not before[module, name]:
            module._buffers[name] = before[module, name]
            replaced.append(name)
    return replaced


def _cpu_generators() -> tuple[bytes, str, str]:
    """The states of the generators that a graph cannot advance, to be compared."""
    return (
        torch.get_rng_state().numpy().tobytes(),
        repr(np.random.get_state()),  # noqa: NPY002 what a trunk may use
        repr(random.getstate()),
    )


def _states(optimizer: torch.optim.Adam) -> list[Tensor]:
    """What the optimizer remembers of each parameter."""
    return [each for state in optimizer.state.values() for each in state.values()]


@torch.no_grad()
def _put_back(before: list[Tensor], kept: list[Tensor], optimizer: torch.optim.Adam) -> None:
    for tensor, value in zip(before, kept, strict=True):
        tensor.copy_(value)
    known = {id(tensor) for tensor in before}
    for state in _states(optimizer):
        if id(state) not in known:
            state.zero_()  # made by the first update: it starts from 0
    optimizer.zero_grad(set_to_none=True)

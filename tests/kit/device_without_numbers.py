"""A device that knows shapes and no numbers: what no CUDA graph can record fails on it.

    python tests/kit/device_without_numbers.py

prints a line for each thing that was tried, and why it failed, if it did. It ends the process
itself: such a device cannot be taken away again, and torch does not end well with it.

To wait for a number (``.item()``, ``.tolist()``, a shape that depends on values), to copy a number
from Python and to mix devices are errors on it, as they are in a recording. It cannot see waits
inside of one operation, so the few operations of which they are known are errors too.
"""

import os
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.datasets.trunks import TRUNKS
from augbench.datasets.trunks.cuda_graph import recording
from augbench.methods.augnet import BY_KIND
from augbench.methods.layers import layer
from augbench.methods.layers.augnet import AugNet
from augbench.methods.layers.averaged_model import AveragedModel
from augbench.methods.layers.layer import AugmentationLayer
from augbench.methods.layers.lie_layer import GENERATORS, LieLayer
from augbench.methods.transforms import EEG, IMAGE
from augbench.methods.transforms.bank import make_bank
from augbench.methods.transforms.constants import DeviceConstant, SizedConstant
from augbench.methods.transforms.transform import Transform
from control import SLEEP

PICTURE = Signal("image", (3, 32, 32))
SIGNALS = {"eeg": SLEEP, "image": PICTURE}
BATCH, N_CLASSES = 16, 5
WAITING = ("linalg_", "nonzero", "unique", "masked_select", "bincount")


class Recorded(TorchDispatchMode):
    """Within it operations that are known to wait for numbers are errors."""

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        name = str(function)
        if any(part in name for part in WAITING) and "vector_norm" not in name:
            raise RuntimeError(f"{name} waits for numbers")
        return function(*args, **(kwargs or {}))


def cases() -> Iterator[tuple[str, Signal, nn.Module]]:
    """What a training step runs: trunks, layers of one transform, and whole models."""
    for name, make in TRUNKS.items():
        for signal in SIGNALS.values():
            with suppress(UserError):  # a trunk for other signals
                yield f"trunk {name}", signal, make(signal, N_CLASSES)
    for kind, names in (("eeg", EEG), ("image", IMAGE)):
        for name, transform in make_bank(names, SIGNALS[kind]).items():
            yield f"transform {name}", SIGNALS[kind], Applied(transform)
            if transform.gradient != "none":
                yield f"layer {name}", SIGNALS[kind], AugmentationLayer([transform])
    for kind, trunk in (("eeg", "sleep_stager"), ("eeg", "eegnet"), ("image", "pre_act_resnet18")):
        signal = SIGNALS[kind]
        network, layers = TRUNKS[trunk](signal, N_CLASSES), [list(each) for each in BY_KIND[kind]]
        model = AugNet(network, layers=layers, signal=signal, n_copies_train=2)
        model._values_checked = True  # by the warm-up
        yield f"augnet {trunk}", signal, model
    affine = LieLayer(tuple(GENERATORS), initial_width=0.1)
    network = TRUNKS["pre_act_resnet18"](PICTURE, N_CLASSES)
    yield "augerino", PICTURE, AveragedModel([affine], network)
    yield "a network that waits", PICTURE, Waits()
    yield "a network that mixes devices", PICTURE, Mixes()
    yield "a network that copies a number", PICTURE, Copies()
    yield "a network that takes an exponential", PICTURE, Exponential()


class Applied(nn.Module):
    """A transform as a policy applies it."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self.transform = transform
        self.magnitude = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        magnitude = self.magnitude.expand(len(x))
        return self.transform.apply(x, magnitude, self.transform.draw(x, None))


class Waits(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum().item() > 0 else -x


class Mixes(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.ones(x.shape[-1])


class Copies(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tensor([1.0, 2.0, 3.0], device=x.device).view(3, 1, 1)


class Exponential(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.matrix_exp(x)


def step(model: nn.Module, signal: Signal, device: torch.device) -> None:
    """One forward and backward pass, as `Training` does it."""
    x = torch.randn(BATCH, *signal.shape, device=device)
    out = model(x)
    if out.ndim == 2:
        y = torch.zeros(BATCH, dtype=torch.long, device=device)
        loss = F.cross_entropy(out, y, weight=torch.ones(out.shape[1], device=device))
        loss = loss + model.penalty() if isinstance(model, AugNet) else loss
    else:
        loss = out.sum()
    if loss.requires_grad:
        loss.backward()


def move(model: nn.Module, device: torch.device) -> None:
    """Tensors of the same shapes on the device."""
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                new = torch.empty(parameter.shape, dtype=parameter.dtype, device=device)
                module._parameters[name] = nn.Parameter(new, parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device=device)


def behave_as_in_a_recording(device: torch.device) -> None:
    """What our code asks of CUDA, and what a warm-up leaves behind."""

    def copied(constant: DeviceConstant, x: Tensor) -> Tensor:
        table = constant.table
        dtype = x.dtype if table.is_floating_point() else table.dtype
        return torch.empty(table.shape, dtype=dtype, device=device)

    layer._is_recorded = lambda weights: True

    def made(constant: SizedConstant, size: int, x: Tensor, dtype: Any = None) -> Tensor:
        return torch.empty_like(constant.make(size, dtype=dtype or x.dtype), device=device)

    DeviceConstant.__call__ = copied  # type: ignore[method-assign]
    SizedConstant.__call__ = made  # type: ignore[method-assign]
    known = torch.amp.is_autocast_available
    torch.amp.is_autocast_available = lambda name: name != device.type and known(name)


def main() -> None:
    """Try each case."""
    _setup_privateuseone_for_python_backend("numberless")
    device = torch.device("numberless")
    tried = list(cases())
    behave_as_in_a_recording(device)
    for name, signal, model in tried:
        with FakeTensorMode(), recording(), Recorded():
            move(model, device)
            try:
                step(model, signal, device)
                reason = ""
            except Exception as error:  # whatever it is, it is the answer
                where = traceback.extract_tb(error.__traceback__)
                own = [each for each in where if "site-packages" not in each.filename][-1]
                line = f"{Path(own.filename).name}:{own.lineno}"
                reason = f"{type(error).__name__} at {line}: {str(error).splitlines()[0][:120]}"
        print(f"{name} ({signal.kind}){'; ' if reason else ''}{reason}", flush=True)


if __name__ == "__main__":
    main()
    os._exit(0)

"""Constant tensors, made once for each device and type."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor


class KeptTensors:
    """Tensors that were made once for each key. Copies and other processes begin without them."""

    def __init__(self) -> None:
        self._made: dict[Any, Tensor] = {}

    def get(self, key: Any, make: Callable[[], Tensor]) -> Tensor:
        if torch.compiler.is_compiling():
            return make()
        if key not in self._made:
            with torch.inference_mode(False):  # it may outlive an inference mode
                made = make()
            if type(made) is not Tensor:  # torch only traces, and it has no numbers
                return made
            self._made[key] = made
        return self._made[key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_made": {}}


class SizedConstant:
    """What depends on a size alone, such as the frequencies of a window: made once for each.

    It is on the device of its input, in its dtype or in one that is asked for. ``make`` takes the
    size and the keyword ``dtype``.
    """

    def __init__(self, make: Callable[..., Tensor]) -> None:
        self.make = make
        self._kept = KeptTensors()

    def __call__(self, size: int, x: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        dtype = x.dtype if dtype is None else dtype
        key = size, x.device, dtype
        return self._kept.get(key, lambda: self.make(size, dtype=dtype).to(x.device))


COUNTING = SizedConstant(partial(torch.arange, 0))  # 0, 1, 2, ...
IDENTITY = SizedConstant(torch.eye)  # the matrix


class DeviceConstant:
    """A constant on the device of its input, copied once to each device; floats in its dtype."""

    def __init__(self, table: Tensor) -> None:
        self.table = table
        self._kept = KeptTensors()

    def __call__(self, x: Tensor) -> Tensor:
        """(...) of any shape -> the constant, where x is."""
        key = x.device, x.dtype if self.table.is_floating_point() else self.table.dtype
        return self._kept.get(key, lambda: self.table.to(*key))

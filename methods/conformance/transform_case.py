"""A transform on a signal: what its checks share."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Signal
from augbench.methods.transforms.transform import Builder, Transform

BATCH = 16
CAP = ("C3", "C4", "F3", "F4", "O1", "O2")
SIGNALS: dict[Kind, Signal] = {
    "eeg": Signal("eeg", (6, 400), CAP, 100.0),
    "image": Signal("image", (3, 12, 16)),
}
WHAT_IT_IS = {"eeg": "EEG", "image": "images"}


@dataclass(frozen=True)
class Case:
    """A transform's builder, and the signal that it is tried on."""

    name: str
    build: Builder
    signal: Signal

    @cached_property
    def transform(self) -> Transform:
        return self.build(self.signal)

    def batch(self, n: int = BATCH, dtype: torch.dtype = torch.float32) -> Tensor:
        """(n, C, ...): noise for EEG, images full of random colours."""
        make = torch.randn if self.signal.kind == "eeg" else torch.rand
        generator = torch.Generator().manual_seed(1)
        return make(n, *self.signal.shape, generator=generator, dtype=dtype)

    def draw(self, x: Tensor, seed: int = 0) -> Tensor:
        return self.transform.draw(x, torch.Generator(x.device).manual_seed(seed))

    def apply(self, x: Tensor, magnitude: float, seed: int = 0) -> Tensor:
        return self.transform.apply(x, torch.full((len(x),), magnitude), self.draw(x, seed))

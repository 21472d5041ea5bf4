"""An augmentation of another library as the draw and the apply of a transform."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from augbench.methods.transforms.imported.drawn import Drawn
from augbench.methods.transforms.imported.rebuilt import Rebuilt
from augbench.methods.transforms.transform import draw_uniform, per_sample, relaxed_bernoulli


@dataclass(eq=False)
class Strength:
    """A graded transform: the magnitude drives an argument of the library's class."""

    engine: Drawn | Rebuilt
    starts_at_identity: bool

    def draw(self, x: Tensor, generator: Generator | None) -> Tensor:
        """(B, ...) -> (B, K)."""
        return self.engine.draw(x, generator)

    def apply(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        """(B, ...), (B,), (B, K) -> (B, ...)."""
        moved = _allowed(self.engine.change(x, magnitude, noise), x, self.engine)
        if self.starts_at_identity:
            return moved
        return torch.where(per_sample(magnitude, x) > 0, moved, x)


@dataclass(eq=False)
class Soft:
    """A transform without strength: its magnitude is the probability that it is applied."""

    engine: Drawn | Rebuilt

    def draw(self, x: Tensor, generator: Generator | None) -> Tensor:
        """(B, ...) -> (B, 1 + K): whether it is applied, and what the library draws."""
        uniform = draw_uniform(x, generator).unsqueeze(1)
        noise = self.engine.draw(x, generator)
        return torch.cat([uniform.to(noise.dtype), noise], 1)

    def apply(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        """(B, ...), (B,), (B, 1 + K) -> (B, ...)."""
        share = per_sample(relaxed_bernoulli(magnitude, noise[:, 0]), x)
        moved = self.engine.change(x, torch.ones_like(magnitude), noise[:, 1:])
        return (1 - share) * x + share * _allowed(moved, x, self.engine)


def _allowed(moved: Tensor, x: Tensor, engine: Drawn | Rebuilt) -> Tensor:
    """What the library made, of x's type; images stay in [0, 1]."""
    moved = moved.to(x.dtype)
    if engine.recipe.signal.kind == "image":
        return moved.clamp(0, 1)
    return moved.clone() if moved.data_ptr() == x.data_ptr() else moved

"""Augmentations that draw while they act: one sample after another, each with its own seed."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from augbench.methods.transforms.imported.hidden_generators import seeding
from augbench.methods.transforms.imported.recipe import Recipe

MOST_KEPT = 64  # objects of the library, by their magnitude; some take 20 ms to make
SEEDS = 2**31 - 1


@dataclass(eq=False)
class Rebuilt:
    """Makes the library's object anew for each magnitude, and seeds all that it may draw from.

    The noise is a seed for each sample, (B, 1) float64. Magnitudes get no gradient, x does where
    the library lets it through.
    """

    recipe: Recipe
    graded: bool
    draws: bool = True  # False: samples can go together, since nothing is drawn
    settable: bool = False  # the argument can be set in an object, as if it had been made with it
    _made: OrderedDict[float, Any] = field(default_factory=OrderedDict, repr=False)

    def draw(self, x: Tensor, generator: Generator | None) -> Tensor:
        """(B, ...) -> (B, 1) float64, seeds."""
        size = (len(x), 1)
        return torch.randint(SEEDS, size, generator=generator, device=x.device).double()

    def change(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        """(B, ...), (B,), (B, 1) -> (B, ...), what the library makes of x."""
        if not len(x):
            return x.clone()
        values = magnitude.tolist() if self.graded else [1.0] * len(x)
        seeds = noise[:, 0].tolist()
        with seeding() as seed:
            if not self.draws and not self.graded:
                seed(0)
                return self._act(x, 1.0, 0)
            rows = []
            for n, value in enumerate(values):
                seed(int(seeds[n]))
                rows.append(self._act(x[n : n + 1], value, int(seeds[n])))
        return torch.cat(rows)

    def _act(self, x: Tensor, magnitude: float, seed: int) -> Tensor:
        made = self._object(magnitude)
        if self.recipe.signal.kind == "image":
            changed: Tensor = made(x)
            return changed
        made.rng = np.random.RandomState(seed)
        labels = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        given = x.float().clone()  # its own forward does that; some operations write into it
        changed, _ = made.operation(given, labels, **made.get_augmentation_params(given, labels))
        return changed.to(x.dtype)

    def can_be_set(self, x: Tensor) -> bool:
        """Whether objects of braindecode act the same when the argument is set later."""
        if self.recipe.signal.kind == "image" or not hasattr(
            self._object(1.0), str(self.recipe.described.parameter)
        ):
            return False
        seeds, half = torch.arange(1.0 * len(x)).unsqueeze(1), torch.full((len(x),), 0.5)
        made_anew = self.change(x, half, seeds)
        other = Rebuilt(self.recipe, self.graded, settable=True)
        return torch.equal(other.change(x, half, seeds), made_anew)

    def _object(self, magnitude: float) -> Any:
        if self.settable and self._made:
            made = next(iter(self._made.values()))
            setattr(made, str(self.recipe.described.parameter), self.recipe.value(magnitude))
            return made
        if magnitude not in self._made:
            self._made[magnitude] = self.recipe.make(magnitude)
        while len(self._made) > MOST_KEPT:
            self._made.popitem(last=False)
        return self._made[magnitude]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": OrderedDict()}

"""Augmentations of kornia whose random numbers can be drawn before they are applied."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

from augbench.methods.transforms.imported.hidden_generators import seeding
from augbench.methods.transforms.imported.recipe import Recipe

# What kornia puts beside the numbers that it draws, which says nothing of a sample.
BESIDE = ("batch_prob", "forward_input_shape")


@dataclass(frozen=True)
class Field:
    """A tensor among the parameters of kornia, and where it lies in the noise."""

    name: str
    shape: tuple[int, ...]  # of one sample
    dtype: torch.dtype
    shared: bool  # by the samples of a batch, as kornia draws it
    moves: bool  # with the magnitude; the noise then holds it for both ends of the range

    @property
    def size(self) -> int:
        """Numbers of one sample."""
        return int(torch.Size(self.shape).numel())


@dataclass(eq=False)
class Drawn:
    """Draws kornia's parameters for magnitudes 0 and 1 from the same random numbers.

    kornia's numbers are uniform between bounds, so what lies between both at a magnitude is what
    kornia itself draws for the bounds at that magnitude; `agrees` tells whether that is so. All
    that is drawn is in the noise, (B, K), and the magnitude gets the gradient that kornia has.
    """

    recipe: Recipe
    fields: tuple[Field, ...]
    graded: bool
    alone: bool  # samples go through kornia one by one, since it shares something between them
    _made: dict[float, Any] = field(default_factory=dict, repr=False)

    def draw(self, x: Tensor, generator: Generator | None) -> Tensor:
        """(B, C, H, W) -> (B, K) in x's dtype."""
        seed = draw_seed(x, generator)
        dtype = x.dtype if x.dtype == torch.float64 else torch.float32
        if not len(x):  # of which kornia makes nothing
            n_numbers = sum(each.size * (1 + each.moves) for each in self.fields)
            return torch.zeros(0, max(1, n_numbers), dtype=dtype, device=x.device)
        strong = self.parameters(1.0, x, seed)
        weak = self.parameters(0.0, x, seed) if any(each.moves for each in self.fields) else {}
        parts = []
        for each in self.fields:
            parts.append(strong[each.name].reshape(len(x), -1))
            if each.moves:
                parts.append(weak[each.name].reshape(len(x), -1))
        packed = [part.to(x.device, dtype) for part in parts]
        return torch.cat(packed, 1) if packed else torch.zeros(len(x), 1, device=x.device)

    def change(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        """(B, C, H, W), (B,), (B, K) -> (B, C, H, W), what kornia makes of x."""
        if not len(x):
            return x.clone()
        if not self.alone:
            return self._change(x, magnitude, noise)
        rows = [
            self._change(x[n : n + 1], magnitude[n : n + 1], noise[n : n + 1])
            for n in range(len(x))
        ]
        return torch.cat(rows)

    def _change(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> Tensor:
        drawn = self.unpack(x, magnitude, noise)
        drawn["batch_prob"] = torch.ones(len(x), device=x.device)
        drawn["forward_input_shape"] = torch.tensor(x.shape)
        changed: Tensor = self.object(1.0)(x, params=drawn)
        return changed

    def unpack(self, x: Tensor, magnitude: Tensor, noise: Tensor) -> dict[str, Tensor]:
        """The parameters at the magnitudes of the samples, as kornia takes them."""
        drawn, at = {}, 0
        for each in self.fields:
            value = noise[:, at : at + each.size]
            at += each.size
            if each.moves:
                weak = noise[:, at : at + each.size]
                at += each.size
                value = weak + magnitude.to(value.dtype).unsqueeze(1) * (value - weak)
            value = value.reshape(len(noise), *each.shape)
            if each.dtype.is_floating_point:
                value = value.to(x.dtype)
            else:
                value = value.round().to(each.dtype)
            drawn[each.name] = value[0] if each.shared else value
        return drawn

    def parameters(self, magnitude: float, x: Tensor, seed: int) -> dict[str, Tensor]:
        """What kornia draws for the samples of x at a magnitude; each (B, ...)."""
        made = self.object(magnitude)
        shapes = [(1, *x.shape[1:])] * len(x) if self.alone else [tuple(x.shape)]
        with seeding() as seed_all:
            seed_all(seed)
            drawn = [made.forward_parameters(torch.Size(shape)) for shape in shapes]
        if not self.alone:
            return {each.name: drawn[0][each.name] for each in self.fields}
        return {
            each.name: torch.stack(
                [rows[each.name] if each.shared else rows[each.name][0] for rows in drawn]
            )
            for each in self.fields
        }

    def object(self, magnitude: float) -> Any:
        """kornia's object at a magnitude, made when it is first used."""
        if magnitude not in self._made:
            self._made[magnitude] = self.recipe.make(magnitude)
        return self._made[magnitude]

    def __getstate__(self) -> dict[str, Any]:
        # kornia's objects remember the last batch, with its graph.
        return {**self.__dict__, "_made": {}}


def draw_seed(x: Tensor, generator: Generator | None) -> int:
    """A seed for a generator that is hidden, from ours."""
    drawn = torch.randint(2**53, (), generator=generator, device=_device(x, generator))
    return int(drawn)


def _device(x: Tensor, generator: Generator | None) -> torch.device:
    return x.device if generator is None else generator.device


def find_fields(recipe: Recipe, x: Tensor, graded: bool) -> tuple[Field, ...]:
    """What kornia draws for the samples of x, (B, C, H, W) with B of 2 or more."""
    with seeding() as seed:
        draws = []
        for batch, magnitude in ((x, 1.0), (x[:-1], 1.0), (x, 0.0)):
            seed(0)
            if magnitude or graded:
                draws.append(recipe.make(magnitude).forward_parameters(batch.shape))
    strong, smaller, weak = draws[0], draws[1], draws[-1 if graded else 0]
    fields = []
    for name, value in strong.items():
        if name in BESIDE:
            continue
        shared = value.shape == smaller[name].shape
        fields.append(
            Field(
                name,
                tuple(value.shape if shared else value.shape[1:]),
                value.dtype,
                shared,
                moves=graded and not torch.equal(value, weak[name]),
            )
        )
    return tuple(fields)


def agrees(drawn: Drawn, x: Tensor) -> bool:
    """Whether kornia at half the magnitude draws what lies between both ends, and nothing later."""
    magnitude = torch.full((len(x),), 0.5, dtype=x.dtype)
    for number in range(3):
        noise = drawn.draw(x, torch.Generator().manual_seed(number))
        half = drawn.parameters(0.5, x, draw_seed(x, torch.Generator().manual_seed(number)))
        for name, value in drawn.unpack(x, magnitude, noise).items():
            expected = half[name][0] if value.ndim < half[name].ndim else half[name]
            if not torch.allclose(value.double(), expected.double(), atol=1e-4):
                return False
        if not _is_settled(drawn, x[:1], magnitude[:1], noise[:1]):
            return False
    return True


def _is_settled(drawn: Drawn, x: Tensor, magnitude: Tensor, noise: Tensor) -> bool:
    """Whether applying draws nothing, and depends on the magnitude through what was drawn alone."""
    results = []
    for seed, end in ((1, 1.0), (2, 0.5)):
        with seeding() as seed_all:
            seed_all(seed)
            drawn_before = drawn.unpack(x, magnitude, noise) | {"batch_prob": torch.ones(len(x))}
            results.append(drawn.object(end)(x, params=drawn_before))
    return torch.equal(*results)


def needs_alone(drawn: Drawn, x: Tensor) -> bool:
    """Whether a sample becomes another in company than it does alone."""
    if any(each.shared for each in drawn.fields):
        return True
    magnitude, noise = torch.ones(len(x)), drawn.draw(x, torch.Generator().manual_seed(0))
    together = drawn.change(x, magnitude, noise)
    try:
        last = drawn.change(x[-1:], magnitude[-1:], noise[-1:])
    except (IndexError, RuntimeError):  # kornia wrote down the place in the batch
        return True
    return not torch.allclose(together[-1:], last, atol=1e-5)

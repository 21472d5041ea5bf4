"""Builds the transform of an augmentation of kornia or braindecode."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Signal
from augbench.methods.options.imported import (
    ImportedOptions,
    Library,
    check_kind,
    library_of,
)
from augbench.methods.transforms.imported.defaults import DEFAULTS, described
from augbench.methods.transforms.imported.drawn import Drawn, agrees, find_fields, needs_alone
from augbench.methods.transforms.imported.rebuilt import Rebuilt
from augbench.methods.transforms.imported.recipe import FORMS, Recipe, brief, find_class
from augbench.methods.transforms.slopes import compare_slopes, finite_gradient
from augbench.methods.transforms.transform import (
    Builder,
    Gradient,
    Transform,
    draw_uniform,
    per_sample,
    relaxed_bernoulli,
)

N_TRIED = 4  # samples on which a transform is tried when it is built
N_MAGNITUDES = 12  # at which its gradient is compared with slopes
NEARLY = 2e-5  # the identity, after an interpolation of pixels


def imported_builder(name: str, options: ImportedOptions | None = None) -> Builder:
    """A builder as our own transforms have, for a name such as ``kornia.RandomRotation``."""
    return partial(_build, name=name, options=options or described(name))


def import_transform(
    name: str,
    signal: Signal,
    *,
    parameter: str | None = None,
    range: tuple[Any, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Transform:
    """An augmentation of kornia or braindecode as a transform for `AugNet` and `make_bank`.

        import_transform("kornia.RandomGaussianBlur", signal)
        import_transform("kornia.RandomShear", signal, parameter="shear", range=(0.0, 20.0))

    Magnitude 0 is ``range[0]`` of the class's argument ``parameter``, 1 is ``range[1]``; without
    a parameter the magnitude is the probability. With a name alone, the table of usual ranges is
    asked. Raises a UserError for a name, an argument or a range that cannot be.
    """
    if parameter is None and range is None and options is None:
        return imported_builder(name)(signal)
    try:
        made = ImportedOptions(parameter, range, options or {})
    except ValueError as error:
        raise UserError(f"transform {name!r}: {error}") from None
    return imported_builder(name, made)(signal)


def usual_transforms() -> list[tuple[Kind, Transform]]:
    """What a name alone means, for those that have a row in the table; each with its kind."""
    return [
        (_library(name).kind, describe(name, each.described)) for name, each in DEFAULTS.items()
    ]


def _library(name: str) -> Library:
    library = library_of(name)
    assert library is not None
    return library


def describe(name: str, options: ImportedOptions) -> Transform:
    """The transform as far as it is known without a signal; it cannot be applied."""
    full, unit = _meaning(options)
    known = DEFAULTS.get(name)
    gradient = known.gradient if known and known.described == options else "none"
    return Transform(
        name=name,
        graded=options.parameter is not None,
        gradient=gradient if options.parameter else "relaxed",
        strongest=full,
        unit=unit,
        source=_source(name),
        draw=_not_bound,
        apply=_not_bound,
        imported=options,
        waits=True,
    )


def probability_hint(transform: Transform) -> str:
    """What else can be done with one whose magnitude has no gradient; empty for our own."""
    if transform.imported is None:
        return ""
    return ", or describe it in `imported` without a parameter: then its probability is learned"


def _build(
    signal: Signal, *, name: str, options: ImportedOptions, strongest: float | None = None
) -> Transform:
    """The transform for a signal; ``strongest`` is what magnitude 1 means, in its unit."""
    check_kind(name, signal.kind)
    find_class(name)
    row = describe(name, options)
    strongest = row.strongest if strongest is None else strongest
    recipe = find_recipe(name, options, signal, strongest / row.strongest)
    x = _examples(signal)
    engine = _engine(recipe, x)
    row = replace(row, strongest=strongest)
    if not row.graded:
        soft = Soft(engine)
        return replace(row, draw=soft.draw, apply=soft.apply)
    strength = Strength(engine, isinstance(engine, Drawn) and _is_identity(engine, x))
    known = DEFAULTS.get(name)
    row = replace(
        row,
        draw=strength.draw,
        apply=strength.apply,
        draws_strength=known is not None and known.draws_strength and known.described == options,
    )
    if isinstance(engine, Rebuilt):
        return replace(row, gradient="none")
    return row if row.gradient == "path" else replace(row, gradient=_gradient(row, signal))


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


def find_recipe(name: str, options: ImportedOptions, signal: Signal, scale: float = 1.0) -> Recipe:
    """The recipe that the library takes at both ends of the range; a UserError if it takes none."""
    recipe = Recipe(name, options, signal, scale=scale)
    recipe.check()
    return _with_form(recipe, _examples(signal))


def _with_form(recipe: Recipe, x: Tensor) -> Recipe:
    """The recipe in the first form of its number that the library takes at both ends."""
    refused: list[Exception] = []
    for form in FORMS if recipe.described.parameter else FORMS[:1]:
        tried = replace(recipe, form=form)
        try:
            for magnitude in (0.0, 1.0) if recipe.described.parameter else (1.0,):
                rebuilt = Rebuilt(tried, graded=True)
                changed = rebuilt.change(
                    x, torch.full((len(x),), magnitude), torch.zeros(len(x), 1)
                )
                _check_result(recipe.name, x, changed, magnitude)
        except UserError:
            raise
        except Exception as error:  # libraries raise anything
            refused.append(error)
            continue
        return tried
    bounds = recipe.described.range
    driven = f" with {recipe.described.parameter} from {bounds[0]} to {bounds[1]}" if bounds else ""
    raise UserError(
        f"transform {recipe.name!r}{driven} does not work on {_shape(recipe.signal)}: it says "
        f"{brief(_telling(refused))!r}; change its range or its options, or leave it out"
    )


def _telling(refused: list[Exception]) -> Exception:
    """What is wrong with a value, rather than with the form in which it was tried."""
    return next((each for each in refused if not isinstance(each, TypeError)), refused[0])


def _check_result(name: str, x: Tensor, changed: Tensor, magnitude: float) -> None:
    if changed.shape != x.shape:
        raise UserError(
            f"transform {name!r} makes {tuple(changed.shape[1:])} of {tuple(x.shape[1:])}; a "
            "transform keeps the shape: change its options or leave it out"
        )
    if not torch.isfinite(changed).all():
        raise UserError(
            f"transform {name!r} gives NaN or infinite values at magnitude {magnitude:g}; change "
            "that end of its range"
        )


def _engine(recipe: Recipe, x: Tensor) -> Drawn | Rebuilt:
    """What draws before it acts, where the library allows that."""
    graded = recipe.described.parameter is not None
    if recipe.signal.kind == "image":
        try:
            drawn = Drawn(recipe, find_fields(recipe, x, graded), graded, alone=False)
            drawn.alone = needs_alone(drawn, x)
            if agrees(drawn, x):
                return drawn
        except Exception:  # what kornia draws has another form at the other end
            return Rebuilt(recipe, graded)
    rebuilt = Rebuilt(recipe, graded)
    if graded:
        rebuilt.settable = rebuilt.can_be_set(x)
    else:
        seeds = torch.arange(2.0 * len(x)).reshape(2, len(x), 1)
        first, second = (rebuilt.change(x, torch.ones(len(x)), each) for each in seeds)
        rebuilt.draws = not torch.equal(first, second)
    return rebuilt


def _is_identity(engine: Drawn, x: Tensor) -> bool:
    """Whether kornia does nothing at magnitude 0, which then has the gradient of its neighbours."""
    for seed in range(4):
        noise = engine.draw(x, torch.Generator().manual_seed(seed))
        same = engine.change(x, torch.zeros(len(x)), noise)
        if not torch.allclose(same, x, rtol=0, atol=NEARLY):
            return False
    return True


def _gradient(row: Transform, signal: Signal) -> Gradient:
    """The gradient that the magnitude has; `augbench check` measures it in the same way."""
    x = _examples(signal)
    noise = row.draw(x, torch.Generator().manual_seed(0))
    half = torch.full((len(x),), 0.5, requires_grad=True)
    if not row.apply(x, half, noise).requires_grad:
        return "none"
    try:
        fine = x.double()
        noise = row.draw(fine, torch.Generator().manual_seed(0))
        slopes = compare_slopes(row, fine, noise, N_MAGNITUDES)
        finite = finite_gradient(row, x, noise.float()) is None
    except (RuntimeError, TypeError, ValueError):  # of kornia, for float64 or backward
        return "none"
    return "path" if slopes.equal and slopes.n_moving and finite else "none"


def _examples(signal: Signal) -> Tensor:
    """(4, C, ...): noise for EEG, images full of random colours."""
    make = torch.randn if signal.kind == "eeg" else torch.rand
    return make(N_TRIED, *signal.shape, generator=torch.Generator().manual_seed(1))


def _meaning(options: ImportedOptions) -> tuple[float, str]:
    """What magnitude 1 is, above 0 and in a unit in which magnitude 0 is 0."""
    if options.range is None:
        return 1.0, "probability"
    low, high = options.range
    if isinstance(low, tuple) or isinstance(high, tuple):
        return 1.0, f"of the way of {options.parameter} from {_words(low)} to {_words(high)}"
    if low == 0 and high > 0:
        return high, str(options.parameter)
    more = "more" if high > low else "less"
    return abs(high - low), f"{more} {options.parameter} than {low:g}"


def _words(bound: Any) -> str:
    return f"({', '.join(f'{each:g}' for each in bound)})"


def _source(name: str) -> str:
    prefix, _, rest = name.partition(".")
    return f"{prefix}.augmentation.{rest}"


def _shape(signal: Signal) -> str:
    what = "images" if signal.kind == "image" else "EEG"
    return f"{what} of {' x '.join(map(str, signal.shape))}"


def _not_bound(x: Tensor, *_: object) -> Tensor:
    raise AssertionError("an imported transform that was not built for a signal")

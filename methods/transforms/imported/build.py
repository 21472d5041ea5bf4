"""Builds the transform of an augmentation of kornia or braindecode."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.options.tasks import Kind
from augbench.datasets.task import Signal
from augbench.methods.options.imported import (
    ImportedOptions,
    Library,
    check_kind,
    library_of,
)
from augbench.methods.transforms.imported.applied import Soft, Strength
from augbench.methods.transforms.imported.choose_engine import (
    choose_engine,
    examples,
    find_recipe,
    is_identity,
)
from augbench.methods.transforms.imported.defaults import DEFAULTS, described
from augbench.methods.transforms.imported.drawn import Drawn
from augbench.methods.transforms.imported.rebuilt import Rebuilt
from augbench.methods.transforms.imported.recipe import find_class
from augbench.methods.transforms.slopes import compare_slopes, finite_gradient
from augbench.methods.transforms.transform import (
    Builder,
    Gradient,
    Transform,
)

N_MAGNITUDES = 12  # at which its gradient is compared with slopes


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
    x = examples(signal)
    engine = choose_engine(recipe, x)
    row = replace(row, strongest=strongest)
    if not row.graded:
        soft = Soft(engine)
        return replace(row, draw=soft.draw, apply=soft.apply)
    strength = Strength(engine, isinstance(engine, Drawn) and is_identity(engine, x))
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


def _gradient(row: Transform, signal: Signal) -> Gradient:
    """The gradient that the magnitude has; `augbench check` measures it in the same way."""
    x = examples(signal)
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


def _not_bound(x: Tensor, *_: object) -> Tensor:
    raise AssertionError("an imported transform that was not built for a signal")

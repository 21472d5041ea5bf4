"""Tries an augmentation of another library, and chooses how it is drawn and applied."""

from dataclasses import replace

import torch
from torch import Tensor

from augbench.datasets.errors import UserError
from augbench.datasets.task import Signal
from augbench.methods.options.imported import ImportedOptions
from augbench.methods.transforms.imported.drawn import Drawn, agrees, find_fields, needs_alone
from augbench.methods.transforms.imported.rebuilt import Rebuilt
from augbench.methods.transforms.imported.recipe import FORMS, Recipe, brief

N_TRIED = 4  # samples on which an augmentation is tried
NEARLY = 2e-5  # the identity, after an interpolation of pixels


def find_recipe(name: str, options: ImportedOptions, signal: Signal, scale: float = 1.0) -> Recipe:
    """The recipe that the library takes at both ends of the range; a UserError if it takes none."""
    recipe = Recipe(name, options, signal, scale=scale)
    recipe.check()
    return _with_form(recipe, examples(signal))


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


def choose_engine(recipe: Recipe, x: Tensor) -> Drawn | Rebuilt:
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


def is_identity(engine: Drawn, x: Tensor) -> bool:
    """Whether kornia does nothing at magnitude 0, which then has the gradient of its neighbours."""
    for seed in range(4):
        noise = engine.draw(x, torch.Generator().manual_seed(seed))
        same = engine.change(x, torch.zeros(len(x)), noise)
        if not torch.allclose(same, x, rtol=0, atol=NEARLY):
            return False
    return True


def examples(signal: Signal) -> Tensor:
    """(4, C, ...): noise for EEG, images full of random colours."""
    make = torch.randn if signal.kind == "eeg" else torch.rand
    return make(N_TRIED, *signal.shape, generator=torch.Generator().manual_seed(1))


def _shape(signal: Signal) -> str:
    what = "images" if signal.kind == "image" else "EEG"
    return f"{what} of {' x '.join(map(str, signal.shape))}"

"""Augmentations that a policy has from the very library that it is written for."""

from collections.abc import Mapping
from dataclasses import replace

from augbench.datasets.errors import UserError
from augbench.methods.options.imported import library_of
from augbench.methods.policies.exchange.calls import Call, Name
from augbench.methods.policies.exchange.golden import EEG, IMAGE
from augbench.methods.policies.exchange.physical import Step
from augbench.methods.transforms.imported.build import describe
from augbench.methods.transforms.imported.choose_engine import find_recipe
from augbench.methods.transforms.imported.recipe import Recipe

MODULES = {"kornia": "K", "braindecode": "A"}
# What the file of a policy calls what the data give.
NAMES = {"sfreq": Name("sfreq"), "ordered_ch_names": Name("ch_names")}


def find_recipes(steps: list[Step], title: str, lost: list[str]) -> dict[str, Recipe]:
    """How the library of that title makes those of the steps that are its own, by name.

    What cannot be written is left out, which ``lost`` says.
    """
    own = {
        step.transform: step.made_of
        for step in steps
        if step.made_of is not None and step.transform.partition(".")[0] == title
    }
    found = {}
    for name, described in own.items():
        library = library_of(name)
        assert library is not None
        try:
            recipe = find_recipe(name, described, EEG if library.kind == "eeg" else IMAGE)
        except UserError as error:
            lost.append(f"{name} is left out: {error}")
            continue
        if set(recipe.from_signal()) <= set(NAMES):
            found[name] = recipe
        else:
            lost.append(f"{name} is left out: its size depends on the data")
    return found


def own_call(step: Step, recipes: Mapping[str, Recipe], title: str) -> Call:
    """The call at the strength of a step, whose recipe is among those of `find_recipes`."""
    recipe = recipes[step.transform]
    full = describe(step.transform, recipe.described).strongest
    at = replace(recipe, scale=1.0 if step.strength is None else step.strength / full)
    named = {key: NAMES[key] for key in recipe.from_signal()}
    rest = step.transform.partition(".")[2]
    return Call(f"{MODULES[title]}.{rest}", at.arguments(1.0) | named)

"""Reads calls of a library whose augmentations are transforms here: the inverse of `own_rows`."""

from collections.abc import Mapping
from math import isclose
from typing import Any

from augbench.datasets.errors import UserError
from augbench.methods.options.imported import LIBRARIES, ImportedOptions, library_of
from augbench.methods.policies.exchange.calls import Call, Name
from augbench.methods.policies.exchange.golden import IMAGE
from augbench.methods.policies.exchange.physical import Step, check_number
from augbench.methods.policies.number import shown
from augbench.methods.transforms.imported.build import describe
from augbench.methods.transforms.imported.choose_engine import find_recipe
from augbench.methods.transforms.imported.defaults import described
from augbench.methods.transforms.imported.recipe import augmentations

MOST = 2**53  # larger whole numbers are no numbers of a library
FROM_DATA = "size"  # an argument that the data give here


def is_own(title: str, name: str) -> bool:
    """Whether a library has a class of that name that can be a transform here.

    It is imported for that. Raises a UserError where it is not installed, or cannot be imported.
    """
    return title in LIBRARIES and name[:1].isupper() and name in augmentations(title)


def read_own(title: str, probability: float, call: Call, lost: list[str]) -> Step:
    """A step of the library itself, at a strength if its class has a row among the usual ones.

    Otherwise all arguments stay as they are, and only the probability can be learned. Raises a
    UserError for arguments that the class does not have or take, or that are no plain data.
    """
    name = f"{title}.{call.short}"
    library = library_of(name)
    assert library is not None
    left_out = [key for key in call.arguments if key in (*library.own, FROM_DATA) and key != "p"]
    if left_out:
        lost.append(f"{call.short}: here without its {', '.join(left_out)}")
    given = {
        key: _plain(call, value)
        for key, value in call.arguments.items()
        if key not in (*library.own, FROM_DATA)
    }
    usual = described(name)
    share = _share(name, usual, given)
    if share is not None:
        return Step(name, probability, share * describe(name, usual).strongest, usual)
    made_of = ImportedOptions(options=given)
    find_recipe(name, made_of, IMAGE)  # files of braindecode are not read
    return Step(name, probability, None, made_of)


def _share(name: str, usual: ImportedOptions, given: Mapping[str, Any]) -> float | None:
    """The magnitude at which the usual row has just these arguments; None if there is none."""
    if usual.parameter is None or given.keys() != {usual.parameter, *usual.options}:
        return None
    recipe = find_recipe(name, usual, IMAGE)
    weak, strong, value = (
        _numbers(each[usual.parameter])
        for each in (recipe.arguments(0.0), recipe.arguments(1.0), given)
    )
    shares = [
        (number - low) / (high - low)
        for number, low, high in zip(value, weak, strong, strict=False)
        if high != low
    ]
    if not shares or not 0.0 <= shares[0] <= 1.0:
        return None
    at = recipe.arguments(shares[0])
    return shares[0] if all(_same(at[key], given[key]) for key in given) else None


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, list | tuple) else [value]
    return [float(each) for each in values if isinstance(each, int | float)]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def _plain(call: Call, value: Any) -> Any:
    """Lists for tuples; raises a UserError for names and calls, which only a program knows."""
    if isinstance(value, list | tuple):
        return [_plain(call, each) for each in value]
    is_text = isinstance(value, str) and not isinstance(value, Name)
    if value is None or isinstance(value, bool) or is_text:
        return value
    return check_number(call.short, value) if isinstance(value, float) else _whole(call, value)


def _whole(call: Call, value: Any) -> int:
    if not isinstance(value, int) or abs(value) > MOST:
        raise UserError(
            f"{call.short} has {shown(value)} where a number, a text or a list has to be"
        )
    return value

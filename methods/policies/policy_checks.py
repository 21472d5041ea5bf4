"""What is wrong with the parts of a policy that is written by hand, in one sentence."""

from numbers import Real
from typing import Any

from augbench.datasets.errors import UserError


def check_share(what: str, name: str, given: Any) -> None:
    """Raise a UserError unless it is a number in [0, 1]; ``what`` of ``name`` it is."""
    if type(given) is float and 0.0 <= given <= 1.0:  # mostly, and soon found
        return
    if not isinstance(given, Real) or not 0 <= float(given) <= 1:
        raise UserError(f"the {what} of {name} is {given!r}; it has to be a number in [0, 1]")


def tuple_of(kind: Any, given: Any, owner: str, form: str) -> tuple[Any, ...]:
    """The parts as a tuple; a UserError where it is neither tuple nor list, or for another part."""
    if not isinstance(given, tuple | list):
        raise UserError(f"{owner} was given {_article(given)}; it takes {form}")
    for each in given:
        if not isinstance(each, kind):
            raise UserError(f"{owner} holds {_article(each)}; it takes {form}")
    return tuple(given)


def _article(given: object) -> str:
    return f"{'an' if type(given).__name__[0] in 'AEIO' else 'a'} {type(given).__name__}"

"""What the options of a row have to be, so that a suite can set them."""

from dataclasses import MISSING, fields, is_dataclass

from augbench.methods.conformance.finding import BrokenError


def describe_options(cls: object) -> str:
    """How many there are; a BrokenError unless it is a frozen dataclass with defaults."""
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise BrokenError(f"the row's options are {cls!r}; they have to be a frozen dataclass")
    if not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise BrokenError(f"{cls.__name__} can be changed: write @dataclass(frozen=True)")
    for each in fields(cls):
        if each.default is MISSING and each.default_factory is MISSING:
            raise BrokenError(f"{cls.__name__}.{each.name} has no default: give it one")
    return f"{len(fields(cls))}, each with a default"

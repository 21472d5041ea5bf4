"""What JSON cannot hold."""

from collections.abc import Iterator
from math import isfinite


def not_json(value: object, at: str) -> str | None:
    """What JSON cannot hold of a value, and where; None where it can be written and read."""
    if value is None or isinstance(value, str | bool | int):
        return None
    if isinstance(value, float):
        return None if isfinite(value) else f"{at} is {value}"
    if isinstance(value, list):
        parts: Iterator[tuple[object, str]] = (
            (each, f"{at}[{number}]") for number, each in enumerate(value)
        )
    elif isinstance(value, dict):
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            return f"{at} has the key {odd!r}, which is no text"
        parts = ((each, f"{at}[{key!r}]") for key, each in value.items())
    else:
        return f"{at} is a {type(value).__name__}"
    return next(filter(None, (not_json(*part) for part in parts)), None)

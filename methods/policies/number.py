"""Numbers that files hold, which may be anything."""

import math

MOST_SHOWN = 80  # characters of a value in a message


def finite_number(given: object) -> float | None:
    """A number; None for what is none, for nan and infinity, and for too many digits."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    try:
        number = float(given)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def shown(given: object) -> str:
    """A value for a message, cut where it is long."""
    try:
        text = repr(given)
    except (ValueError, RecursionError):  # a whole number of thousands of digits
        return "something too long to show"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."

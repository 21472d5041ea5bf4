"""What an argument of an operation holds: its unit, its limits, and the shape of its range."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from augbench.datasets.errors import UserError
from augbench.methods.policies.exchange.physical import check_number


class Unit(NamedTuple):
    """What a strength of ours is there, and the reverse; from the least to the most there."""

    theirs: Callable[[float], float]
    ours: Callable[[float], float]
    least: float = -math.inf
    most: float = math.inf
    hint: str = ""  # what to write instead of a number beyond these

    def within(self, least: float, most: float) -> "Unit":
        """The same unit with other limits."""
        return self._replace(least=least, most=most)

    def check(self, what: str, number: float) -> None:
        """Raises a UserError for a number of theirs beyond the limits."""
        if not self.least <= number <= self.most:
            allowed = f"from {self.least:g} to {self.most:g}"
            if math.isinf(self.most):
                allowed = f"{self.least:g} or more"
            hint = f": {self.hint}" if self.hint else ""
            raise UserError(f"{what} reaches {number:g}; it has to be {allowed}{hint}")


SAME = Unit(float, float)
DEGREES = SAME.within(-360.0, 360.0)
FACTOR = Unit(lambda s: 1 + s, lambda v: v - 1, least=0.0)  # 1 changes nothing
SLOPE = Unit(
    lambda s: math.degrees(math.atan(s)), lambda v: math.tan(math.radians(v)), -89.99, 89.99
)
BITS_KEPT = Unit(lambda s: 8 - s, lambda v: 8 - v, 0.0, 8.0)
AREA = Unit(lambda s: s * abs(s), math.sqrt, 0.0, 1.0)
# Ours goes from 256 to 0 of 255 levels, so that white stays white at the beginning.
THRESHOLD = Unit(
    lambda s: min(1.0, (1 - s) * 256 / 255),
    lambda v: 0.0 if v >= 1 else 1 - v * 255 / 256,
    0.0,
    1.0,
    "policies here are for images in [0, 1], so divide a level by 255",
)

# What one number means where a range may stand: both ends of that range.
Ends = Callable[[float], tuple[float, float]]


def around_0(number: float) -> tuple[float, float]:
    """To either side of 0."""
    return -number, number


def around_1(number: float) -> tuple[float, float]:
    """To either side of 1, but not below 0."""
    return max(0.0, 1 - number), 1 + number


def around_half(number: float) -> tuple[float, float]:
    """To either side of 0.5."""
    return 0.5 - number, 0.5 + number


def from_0(number: float) -> tuple[float, float]:
    """From 0 on."""
    return 0.0, number


def up_to_8(number: float) -> tuple[float, float]:
    """As many bits, up to all of them."""
    return number, 8.0


def only_it(number: float) -> tuple[float, float]:
    """Just this one."""
    return number, number


class Shape(NamedTuple):
    """How an argument holds a range; ``unpack`` gives None for what is not of this shape."""

    pack: Callable[[float, float], Any]
    unpack: Callable[[Any], tuple[Any, Any] | None]


def _of_four(place: int) -> Shape:
    """A range for x and one for y, of which one is at 0; two numbers alone are for x."""

    def pack(low: float, high: float) -> tuple[float, ...]:
        return (low, high, 0.0, 0.0) if place == 0 else (0.0, 0.0, low, high)

    def unpack(value: Any) -> tuple[Any, Any] | None:
        four = [*value, 0, 0] if _is_list(value, 2) else value
        if not _is_list(four, 4) or [*four[2 - place : 4 - place]] != [0, 0]:
            return None
        return four[place], four[place + 1]

    return Shape(pack, unpack)


def _is_list(value: Any, length: int) -> bool:
    return isinstance(value, list | tuple) and len(value) == length


def _one(value: Any, low: Any) -> tuple[Any, Any] | None:
    return (low, value) if isinstance(value, int | float) else None


PAIR = Shape(lambda low, high: (low, high), lambda v: tuple(v) if _is_list(v, 2) else None)
FIRST, SECOND = _of_four(0), _of_four(2)
# The same range on both axes, given by its end.
BOTH_AXES = Shape(
    lambda low, high: (high, high),
    lambda v: (-v[0], v[0]) if _is_list(v, 2) and v[0] == v[1] else None,
)
# The largest one alone: a fixed strength, or the end of a range that begins at none.
LARGEST = Shape(lambda low, high: high, lambda value: _one(value, 0.0))
ONE_VALUE = Shape(lambda low, high: high, lambda value: _one(value, value))


def numbers_in(what: str, value: Any) -> list[float]:
    """The numbers of an argument; a UserError for anything else in it. None has none."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [number for each in value.values() for number in numbers_in(what, each)]
    each_one = value if isinstance(value, list | tuple) else [value]
    return [check_number(what, each) for each in each_one]

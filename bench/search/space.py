"""What a search varies: options of a method, each over a range or a list of values."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import exp, isfinite, log
from typing import Literal, NamedTuple

from augbench.datasets.errors import UserError, unknown

Value = bool | int | float | str
Values = dict[str, Value]  # one for each parameter
SamplerName = Literal["tpe", "random", "grid"]  # how values are chosen from the spaces
Backend = Literal["optuna", "tune"]  # what begins and stops the trials of a search

ALIASES = {"lambda": "penalty"}
# Values of AugNet's lambda. Source: AugNet, appendix A: "in most cases", and for sleep stages.
PAPER_GRIDS: Mapping[str, tuple[Value, ...]] = {
    "paper": (0.01, 0.1, 0.5, 0.8),
    "paper-sleep": (1.0, 5.0, 10.0, 50.0),
}
RANGES = ("log", "linear", "int")
KNOWN_SPACES = (
    "known: log:LOW:HIGH, linear:LOW:HIGH, int:LOW:HIGH, each with :N at its end for N points of a "
    "grid; choice:A,B,C; paper and paper-sleep, AugNet's grids of lambda"
)


class Range(NamedTuple):
    """Numbers from low to high."""

    kind: str  # one of RANGES
    low: float
    high: float
    n_points: int | None  # of a grid

    def points(self, n_points: int) -> tuple[Value, ...]:
        """This many numbers, evenly spaced on the range's scale, with both ends."""
        shares = [k / (n_points - 1) for k in range(n_points)] if n_points > 1 else [0.5]
        low, high = (log(self.low), log(self.high)) if self.kind == "log" else (self.low, self.high)
        spaced = [low * (1 - share) + high * share for share in shares]
        if self.kind == "int":
            return tuple(dict.fromkeys(round(value) for value in spaced))
        if self.kind == "log":
            spaced = [exp(value) for value in spaced]
        if n_points > 1:
            spaced[0], spaced[-1] = self.low, self.high  # exp(log(x)) is not always x
        return tuple(spaced)


class Choice(NamedTuple):
    """A list of values."""

    values: tuple[Value, ...]


Space = Range | Choice
Spaces = dict[str, Space]  # by the option's name, or training.KEY


def read_spaces(names: Sequence[str], words: Sequence[str]) -> dict[str, str]:
    """Pair each --param with its --space, under the option's own name, and check both.

    Raises a UserError for a name that is given twice, or a space that is missing or not valid.
    """
    if not names or len(names) != len(words):
        raise UserError(
            f"{len(names)} --param and {len(words)} --space: each parameter needs one space, as in "
            "--param lambda --space log:0.01:50"
        )
    keys = [ALIASES.get(name, name) for name in names]
    if len(set(keys)) < len(keys):
        raise UserError(f"--param names an option twice: {', '.join(names)}")
    for key, space in zip(keys, words, strict=True):
        read_space(key, space)
    return dict(zip(keys, words, strict=True))


def read_space(key: str, words: str) -> Space:
    """A space from its text, as in "log:0.01:50".

    Raises a UserError for a text that is not a space, or numbers that are not a range.
    """
    kind, _, rest = words.partition(":")
    if words in PAPER_GRIDS:
        if key != "penalty":
            raise UserError(f"--space {words} holds values of lambda, and --param is {key!r}")
        return Choice(PAPER_GRIDS[words])
    if kind == "choice":
        return _read_choice(words, rest.split(","))
    if kind in RANGES:
        return _read_range(words, kind, rest.split(":"))
    if ":" in words:
        raise unknown("--space", kind, [*RANGES, "choice", *PAPER_GRIDS])
    raise UserError(f"--space {words!r} is not a space; {KNOWN_SPACES}")


def _read_choice(words: str, items: Sequence[str]) -> Choice:
    values = tuple(_read_value(item.strip()) for item in items)
    if "" in values or len(set(values)) < len(values):
        raise UserError(f"--space {words!r}: a choice has different values, as in choice:1,2,5")
    return Choice(values)


def _read_value(text: str) -> Value:
    """A number, a truth value or a word, as TOML has them."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, Value) else text


def _read_range(words: str, kind: str, parts: Sequence[str]) -> Range:
    if len(parts) not in (2, 3):
        raise UserError(f"--space {words!r} is not a range; {KNOWN_SPACES}")
    try:
        low, high = (int(part) if kind == "int" else float(part) for part in parts[:2])
        n_points = int(parts[2]) if len(parts) == 3 else None
    except ValueError as error:
        raise UserError(f"--space {words!r}: {error}; {KNOWN_SPACES}") from None
    if not (isfinite(low) and isfinite(high) and low < high):
        raise UserError(f"--space {words!r}: the low end has to be below the high one")
    if kind == "log" and low <= 0:
        raise UserError(f"--space {words!r}: a logarithmic range has to begin above 0")
    if n_points is not None and n_points < 2:
        raise UserError(f"--space {words!r}: a grid has 2 points or more in a range")
    return Range(kind, low, high, n_points)


def grid(spaces: Mapping[str, Space], n_trials: int | None) -> list[Values]:
    """All points of a grid, the last parameter fastest.

    A range without a number of points gets ``n_trials`` of them if it is the only parameter.
    Raises a UserError if the size of the grid is not clear, or is not ``n_trials``.
    """
    lists: list[tuple[Value, ...]] = []
    for key, space in spaces.items():
        if isinstance(space, Choice):
            lists.append(space.values)
            continue
        n_points = space.n_points or (n_trials if len(spaces) == 1 else None)
        if n_points is None:
            raise UserError(
                f"the grid needs a number of points for {key!r}: add it to the range, as in "
                f"{space.kind}:{space.low:g}:{space.high:g}:5"
            )
        lists.append(space.points(n_points))
    points = [dict(zip(spaces, values, strict=True)) for values in product(*lists)]
    if n_trials not in (None, len(points)):
        raise UserError(f"the grid has {len(points)} points, and --trials is {n_trials}")
    return points


def corners(spaces: Mapping[str, Space]) -> Iterable[Values]:
    """Each extreme value of each parameter once: the method has to accept all of these."""
    extremes: dict[str, tuple[Value, ...]] = {
        key: space.values if isinstance(space, Choice) else space.points(2)  # its ends
        for key, space in spaces.items()
    }
    first: Values = {key: values[0] for key, values in extremes.items()}
    for key, values in extremes.items():
        for value in values:
            yield {**first, key: value}


def scale(space: Space) -> str:
    """The scale of an axis for it: "log", "linear", or "words" for values that are not numbers."""
    if isinstance(space, Range):
        return "log" if space.kind == "log" else "linear"
    numbers = [v for v in space.values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(space.values):
        return "words"
    return "log" if 0 < 10 * min(numbers) <= max(numbers) else "linear"


def with_values(table: Mapping[str, object], values: Values) -> dict[str, object]:
    """A method's table with some options set; ``training.KEY`` sets one of its training."""
    changed = dict(table)
    for key, value in values.items():
        head, _, rest = key.partition(".")
        inner = changed.get(head)
        known = inner if isinstance(inner, Mapping) else {}
        changed[head] = {**known, rest: value} if rest else value
    return changed

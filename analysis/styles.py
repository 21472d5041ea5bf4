"""One colour and one marker for each method, the same in every figure."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Style(NamedTuple):
    """How a method is drawn."""

    order: int  # in the legend; a method with a smaller one is drawn over the others
    colour: str  # as #rrggbb
    symbol: str  # of its markers, one of matplotlib's
    fill: str = "full"  # of the marker, one of matplotlib's; other than "full" on a dashed line


# A family has neighbouring colours. Any two colours are at least 10 apart in CIE Lab for readers
# with normal vision, protanopia, deuteranopia and tritanopia, as tests/analysis/test_styles.py
# measures; markers tell the rest.
_ROWS = {
    # end-to-end
    "augnet": ("#d7301f", "o"),
    "augerino": ("#ff9f1c", "s"),
    # search-free
    "none": ("#000000", "X"),
    "fixed": ("#555555", "P"),
    "randaugment": ("#a3a3a3", "^"),
    "trivialaugment": ("#a8905a", "v"),
    "uniformaugment": ("#b4d278", "H"),
    "random_policy": ("#e0cf9e", "8"),
    # searches by proposals
    "random_search": ("#a8d3f0", "<"),
    "autoaugment": ("#3f95d8", "D"),
    "fast_autoaugment": ("#1b3f9c", ">"),
    # searches by gradient
    "faster_autoaugment": ("#55c79b", "p"),
    "dada": ("#00876c", "h"),
    "adda": ("#dd8fc4", "d"),
    "cadda": ("#a0287f", "*"),
}
METHOD_STYLES = {name: Style(order, *row) for order, (name, row) in enumerate(_ROWS.items())}
# For labels that are not in the table: methods of other packages, and second labels of a method.
# Colours from Paul Tol's "muted" scheme (2021), none of them in the table above.
_SPARE_COLOURS = ("#882255", "#117733", "#332288", "#cc6677", "#44aa99", "#999933", "#6699cc")
_SPARE_MARKERS = ("o", "s", "^", "D", "v", "p", "h", "<", ">", "d", "8", "P", "X", "*", "H")
_SPARE_FILLS = ("none", "left", "right", "top", "bottom")
_N_PAIRS = len(_SPARE_COLOURS) * len(_SPARE_MARKERS)

# A step of these methods draws or tries a policy: it is no epoch of a model that is scored.
WITHOUT_EPOCHS = ("random_policy", "random_search", "autoaugment", "fast_autoaugment")


def method_styles(methods: Mapping[str, str]) -> dict[str, Style]:
    """The style of each label of a suite, by label; ``methods`` has the method of each label.

    No two labels look the same (up to 525 that are not in the table). The name of one of our
    methods always has the style of the table. Any other label has a marker that is not full and a
    dashed line. The letters of the label choose them; where two labels choose the same, the second
    by name takes the next that is free. In the legend a label stands with the others of its method.
    """
    last = len(METHOD_STYLES)
    ranks = {name: METHOD_STYLES[name].order for name in METHOD_STYLES}
    ordered = sorted(methods, key=lambda label: (ranks.get(methods[label], last), label))
    order = {label: place for place, label in enumerate(ordered)}
    styles: dict[str, Style] = {}
    taken: set[int] = set()
    for label in sorted(methods):
        if label in METHOD_STYLES:
            styles[label] = METHOD_STYLES[label]._replace(order=order[label])
            continue
        number = next((each for each in _choices(label) if each not in taken), 0)
        taken.add(number)
        styles[label] = _spare(number)._replace(order=order[label])
    return styles


def _choices(label: str) -> Iterator[int]:
    """The numbers of all spare styles, in the order in which a label asks for them."""
    first = int.from_bytes(hashlib.sha256(label.encode()).digest()[:4])
    for fill in range(len(_SPARE_FILLS)):
        for step in range(_N_PAIRS):
            yield fill * _N_PAIRS + (first + step) % _N_PAIRS


def _spare(number: int) -> Style:
    fill, pair = divmod(number, _N_PAIRS)
    # 7 colours and 15 markers: two numbers in a row differ in both, and all pairs occur once.
    colour = _SPARE_COLOURS[pair % len(_SPARE_COLOURS)]
    marker = _SPARE_MARKERS[pair % len(_SPARE_MARKERS)]
    return Style(0, colour, marker, _SPARE_FILLS[fill])

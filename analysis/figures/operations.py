"""How operations are drawn in figures that have no methods: each the same in all figures."""

from augbench.analysis.figures.learned_curves import Stroke
from augbench.methods.transforms import EEG, IMAGE

# Paul Tol's "bright" scheme (2021), and a dark brown; with four kinds of dashes 32 strokes.
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#000000", "#8c510a")
_DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))


def _rows() -> dict[str, Stroke]:
    """Neighbours in a table of transforms differ in colour, all of one table in the pair."""
    return {
        name: Stroke(_COLOURS[place % len(_COLOURS)], _DASHES[place // len(_COLOURS)], width=1.8)
        for table in (EEG, IMAGE)
        for place, name in enumerate(table)
    }


def operation_strokes(names: list[str]) -> dict[str, Stroke]:
    """The stroke of each operation, in the order of the names.

    Those that are in no table, of Augerino's layer or of other packages, take what no operation
    beside them has.
    """
    known = _rows()
    taken = {(known[name].colour, known[name].dashes) for name in names if name in known}
    free = (
        Stroke(colour, dashes, width=1.8)
        for dashes in _DASHES
        for colour in _COLOURS
        if (colour, dashes) not in taken
    )
    others = {name: next(free) for name in sorted(set(names) - set(known))}
    return {name: (known | others)[name] for name in names}

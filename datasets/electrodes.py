"""From the channel names of files to 10-20 electrodes and their positions."""

import re
from collections.abc import Sequence
from functools import cache

from augbench.datasets.errors import UserError, listed, unknown

KIND = re.compile(r"^(?:EEG|POL|CHAN|CH)(?:[\s:_-]+|\((?=.*\)$))", re.IGNORECASE)
SEPARATOR = re.compile(r"\s*[-–:/_]\s*|\s+")
EARS = frozenset({"A1", "A2", "M1", "M2"})  # places of references, not on the scalp


def electrode(name: str) -> str | None:
    """The electrode of a channel, in upper case; None if its position is not known.

    ``EEG Fp1``, ``Fc5.``, ``EEG FP1-REF`` and ``C3-M2`` are known spellings. Of a derivation
    between two electrodes (``Fpz-Cz``) it is the first one. One between both ears (``A2-A1``) has
    no place.
    """
    plain = KIND.sub("", name.strip()).strip(" .()[]'\"").upper()
    first, *others = SEPARATOR.split(plain)
    first = first.strip(" .")
    if first not in places():
        joined = re.fullmatch(r"([A-Z]+\d{0,2}[HZ]?)([AM][12])", first)  # C3M2
        if joined is None or joined[1] not in places():
            return None
        first = joined[1]
    return None if first in EARS and others else first


def mirror_name(electrode: str) -> str:
    """C3 <-> C4, F5H <-> F6H, CZ -> CZ: odd numbers are left, even ones right."""

    def other_side(number: re.Match[str]) -> str:
        n = int(number[0])
        return str(n + 1 if n % 2 else n - 1)

    return re.sub(r"\d+", other_side, electrode)


def no_mirror(names: Sequence[str]) -> str:
    """Why a swap of left and right changes nothing for these channels; empty where it does.

    All of them have a place.
    """
    pairs = {each: mirror_name(each) for each in map(electrode, names) if each is not None}
    if any(other != each and other in pairs for each, other in pairs.items()):
        return ""
    sided = [
        f"{name} has no {mirror_name(each)}"
        for name in names
        if (each := electrode(name)) is not None and mirror_name(each) != each
    ]
    why = listed(sided, 3) if sided else f"{listed(names, 3)} on the midline"
    return f"no channel has its partner on the other side ({why})"


def unplaced(names: Sequence[str]) -> list[str]:
    """The channels whose position is not known, or is also that of another channel."""
    found = [electrode(name) for name in names]
    return [
        name
        for name, each in zip(names, found, strict=True)
        if each is None or found.count(each) > 1
    ]


def pick_channels(names: Sequence[str], asked: Sequence[str]) -> tuple[int, ...]:
    """Indices of the channels to keep: those asked for, in that order, or all but ``-NAME``.

    A name is that of the file, or an electrode if only one channel has it. Raises UserError for
    unknown names, for a name given twice, and for a mix of names to keep and to drop.
    """
    dropped = [name.startswith("-") for name in asked]
    if any(dropped) and not all(dropped):
        raise UserError(
            f"channels = {list(asked)} keeps some by name and drops others: name those to keep, or "
            "name all to drop, with a - before each"
        )
    found = [_find(name.removeprefix("-"), names) for name in asked]
    if len(set(found)) < len(found):
        raise UserError(f"channels = {list(asked)} names one twice")
    if not any(dropped):
        return tuple(found)
    kept = tuple(i for i in range(len(names)) if i not in found)
    if not kept:
        raise UserError(f"channels = {list(asked)} drops all channels: keep one at least")
    return kept


def _find(asked: str, names: Sequence[str]) -> int:
    if asked in names:
        return list(names).index(asked)
    folded = [name.strip().casefold() for name in names]
    if folded.count(asked.strip().casefold()) == 1:
        return folded.index(asked.strip().casefold())
    place = electrode(asked)
    fitting = [i for i, name in enumerate(names) if place is not None and electrode(name) == place]
    if len(fitting) == 1:
        return fitting[0]
    raise unknown("channel in the option channels:", asked, names)


@cache
def places() -> dict[str, list[float]]:
    """Where each electrode is, by its name in upper case: x right, y front, z up, in metres."""
    # Its import takes a tenth of a second, and images never need it.
    from mne.channels import get_builtin_montages, make_standard_montage

    # MNE 1.13 renamed the head that these positions were measured on.
    head = "colin27" if "colin27_1005" in get_builtin_montages() else "standard"
    positions = {}
    for grid in ("1005", "1020"):  # each has electrodes that the other lacks
        found = make_standard_montage(f"{head}_{grid}").get_positions()["ch_pos"]
        positions.update({name.upper(): list(place) for name, place in found.items()})
    return positions

"""What installed packages declare for us, also where one of them is half installed."""

import re
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import Distribution, EntryPoint, distributions


def entry_points(*, group: str) -> list[EntryPoint]:
    """The entry points of one of our groups, ``augbench.methods`` or another.

    As importlib's function of that name, but a package whose list cannot be read adds nothing:
    there it is an error for all packages.
    """
    return [entry for _, found in _lists() for entry in found or () if entry.group == group]


def unreadable_packages() -> list[str]:
    """The packages that add something to augbench, and whose list of it cannot be read."""
    return [name for name, found in _lists() if found is None]


def package_of(entry: EntryPoint) -> tuple[str, str]:
    """The name and the version of the package of an entry point; empty where they are not known."""
    distribution = getattr(entry, "dist", None)
    if distribution is None:
        return "", ""
    version = ""
    with suppress(Exception):  # its METADATA is missing or torn
        version = distribution.version or ""
    return _name(distribution), version


def _lists() -> Iterator[tuple[str, list[EntryPoint] | None]]:
    """Of each package that names augbench its entry points; None where they cannot be read."""
    seen = set()
    for distribution in distributions():
        if not _names_augbench(distribution):  # to read the names of all takes a second
            continue
        name = _name(distribution)
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key and key in seen:  # a folder that comes later on the path
            continue
        seen.add(key)
        try:
            yield name, list(distribution.entry_points)
        except Exception:  # a line that is no `name = value`, bytes that are no text
            yield name or "a package without a name", None


def _names_augbench(distribution: Distribution) -> bool:
    try:
        return "augbench." in (distribution.read_text("entry_points.txt") or "")
    except Exception:  # bytes that are no text
        return True


def _name(distribution: Distribution) -> str:
    """Its name; empty where METADATA is missing, as while pip installs it."""
    with suppress(Exception):
        return distribution.metadata["Name"] or ""
    return ""

"""A digest of the code of a plug-in."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path


@cache  # of a module that has been imported, the code as it was then
def plugin_code(module: str, package: str) -> str:
    """12 hex digits of the source files of a plug-in, found without an import; empty for none.

    They are the module or package that its entry point names, and the modules that its installed
    ``package`` lists.
    """
    digest = hashlib.sha256()
    files = {file.resolve() for file in (*_of_module(module), *_of_package(package))}
    read = 0
    for file in sorted(files):
        with suppress(OSError):  # it is listed, and not there
            # No folder: the same package lies elsewhere on another node.
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
            read += 1
    return digest.hexdigest()[:12] if read else ""


def outermost(module: str) -> str:
    """The package that a module lies in: the first that is no namespace for several packages."""
    parts = module.split(".")
    for n in range(1, len(parts) + 1):
        name = ".".join(parts[:n])
        with suppress(Exception):  # `find_spec` imports what is above, and that may fail
            spec = find_spec(name)
            if spec is not None and spec.has_location:
                return name
    return parts[0]


def _of_module(module: str) -> Iterable[Path]:
    with suppress(Exception):
        spec = find_spec(outermost(module))
        if spec is not None and spec.submodule_search_locations:
            folders = map(Path, spec.submodule_search_locations)
            return [file for folder in folders for file in folder.rglob("*.py")]
        if spec is not None and spec.origin:
            return [Path(spec.origin)]
    return []


def _of_package(package: str) -> Iterable[Path]:
    with suppress(Exception):  # it is not installed, or lists no files
        files = distribution(package).files or []
        # An editable install lists what finds the code: it names a folder of this machine.
        return [
            Path(str(file.locate()))
            for file in files
            if file.suffix == ".py" and not file.name.startswith("__editable__")
        ]
    return []

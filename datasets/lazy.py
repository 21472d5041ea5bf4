"""Public names of a package that are imported from their files when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy_names(package: str, files: Mapping[str, str]) -> Callable[[str], Any]:
    """The ``__getattr__`` of a package (PEP 562): it imports a public name from its file.

    ``files`` gives for each name the module below the package, or the whole name of another one. So
    ``from augbench.methods import Policy`` works, and ``import augbench.methods`` alone does not
    import torch.
    """

    def get(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        file = files[name]
        whole = file if file.startswith("augbench.") else f"{package}.{file}"
        return getattr(import_module(whole), name)

    return get

"""How matplotlib is imported by a command: with none of the user's settings."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def import_matplotlib() -> None:
    """Import matplotlib as if the user had no settings for it: some of them make its import fail.

    A notebook names a backend of its own in MPLBACKEND, also for commands that it starts; and a
    file of settings may be damaged, in the current folder too.
    """
    found = find_spec("matplotlib")
    if "matplotlib" in sys.modules or found is None or found.origin is None:
        return
    settings = Path(found.origin).parent / "mpl-data"  # the shipped ones
    former = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    folder = Path.cwd() if Path("matplotlibrc").exists() else None
    os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=str(settings / "matplotlibrc"))
    try:
        if folder is not None:
            os.chdir(settings)
        matplotlib: Any = import_module("matplotlib")
        users_folder = matplotlib.get_configdir  # which may hold a damaged style
        matplotlib.get_configdir = lambda: str(settings)
        import_module("matplotlib.style")
        matplotlib.get_configdir = users_folder
    finally:
        if folder is not None:
            os.chdir(folder)
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""The command that writes figures and tables; bench finds it as an entry point."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run directory, or that of a search.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write to; by default RUN/report.")
    ] = None,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="Keep the hours of GPUs that trials shared.")
    ] = False,
    charge_search: Annotated[
        bool,
        typer.Option(
            "--charge-search", help="Add the costs of the searches that chose a method's options."
        ),
    ] = False,
) -> None:
    """Write the figures and tables of a run or of a search, finished or not.

    \b
    augbench report runs/quickstart
    """
    import_matplotlib()
    # These import pandas and matplotlib, for which other commands need not wait.
    from augbench.analysis.frame import load
    from augbench.analysis.report import write_report
    from augbench.analysis.searches import charge_searches, write_search_report
    from augbench.bench.search.search import holds_search

    folder = out or run / "report"
    if holds_search(run):
        files, damages = write_search_report(run, folder), []
    else:
        results = load(run)
        damages = list(results.trials.loc[results.trials["state"] == "damaged", "reason"])
        if charge_search:
            results = charge_searches(results, run)
        files = write_report(results, folder, include_shared=include_shared)
    for file in files:
        print(file)
    if damages:
        print("\n".join(damages), file=sys.stderr)
        raise typer.Exit(1)


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

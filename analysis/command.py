"""The command that writes figures and tables; bench finds it as an entry point."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    out: Annotated[Path | None, typer.Option(help="Where to; RUN/report without it.")] = None,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="Keep hours of GPUs that trials shared.")
    ] = False,
    charge_search: Annotated[
        bool,
        typer.Option("--charge-search", help="Add what searches for options were charged."),
    ] = False,
) -> None:
    """Write the figures and tables of a run or of a search, finished or not.

    \b
    augbench report runs/quickstart
    """
    from augbench.analysis.frame import (
        load,  # pandas and matplotlib: other commands need not wait for them
    )
    from augbench.analysis.report import write_report
    from augbench.analysis.searches import charge_searches, write_search_report
    from augbench.bench.search.search import FILE

    folder = out or run / "report"
    if (run / FILE).exists():
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

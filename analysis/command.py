"""The command that writes figures and tables; bench finds it as an entry point."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run directory.")],
    out: Annotated[Path | None, typer.Option(help="Where to; RUN/report without it.")] = None,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="Keep hours of GPUs that trials shared.")
    ] = False,
) -> None:
    """Write the figures and tables of a run, finished or not."""
    from analysis.frame import load  # pandas and matplotlib: other commands need not wait for them
    from analysis.report import write_report

    for file in write_report(load(run), out or run / "report", include_shared=include_shared):
        print(file)

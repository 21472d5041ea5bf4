"""The command that compares two runs; bench finds it as an entry point."""

import sys
from math import inf
from pathlib import Path
from typing import Annotated

import typer

from augbench.datasets.errors import UserError

WIDTH = 160  # of tables in a file or a pipe; a terminal has its own


def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="The former run directory.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="The new run directory.")],
    worse_than: Annotated[
        float, typer.Option(help="By how much a test metric may fall, as in 0.01.")
    ] = 0.01,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table into this file too.")
    ] = None,
) -> None:
    """Compare two runs, each method on each task.

    Trials of the same task, fold and seed are compared. The exit code is 0 where nothing in B is
    worse, and 1 where something is: the 95 % interval of a difference lies wholly below minus
    --worse-than, or the difference itself where there is no interval; or B lacks a method or a
    trial that A has done, or one has failed in B alone. It is 2 for input that cannot be compared.

    \b
    augbench compare runs/before runs/after
    augbench compare runs/before runs/after --worse-than 0.02 --csv compared.csv
    """
    if not 0 <= worse_than < inf:
        raise UserError(f"--worse-than is {worse_than}; it has to be 0 or more, as in 0.01")
    from rich.console import Console

    from augbench.analysis.compare.cells import FAILING
    from augbench.analysis.compare.runs import compare_runs, likeness, read_run
    from augbench.analysis.compare.terminal import conclusion, show_comparison
    from augbench.analysis.text import csv as csv_bytes
    from augbench.bench.store.files import replace_text
    from augbench.bench.terminal import print_line

    former, new = read_run(a), read_run(b)
    table = compare_runs(former, new, limit=worse_than)
    if csv is not None:
        try:
            replace_text(csv, csv_bytes(table).decode())
        except OSError as error:
            raise UserError(f"cannot write --csv {csv}: {error.strerror}") from None
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    print_line(console, f"A: {a}\nB: {b}")
    for line in likeness(former, new):
        print_line(console, line)
    show_comparison(table, console)
    print_line(console, conclusion(table, worse_than))
    raise typer.Exit(1 if table["verdict"].isin(FAILING).any() else 0)

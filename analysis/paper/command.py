"""The command that draws the paper's figures; bench finds it as an entry point."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from augbench.analysis.command import import_matplotlib
from augbench.analysis.paper import FIGURES
from augbench.bench.cli.arguments import (
    Address,
    Data,
    Device,
    Engine,
    Overrides,
    ShipCode,
    StopAfter,
    Workers,
)


def _complete(incomplete: str) -> list[str]:
    return [name for name in (*FIGURES, "all") if name.startswith(incomplete)]


def reproduce(
    figure: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help=f"{', '.join(FIGURES)}, or all.",
            autocompletion=_complete,
        ),
    ],
    scale: Annotated[
        Literal["small", "paper"],
        typer.Option(help="small: for 2 CPU cores; paper: its own settings, for GPUs."),
    ] = "small",
    task: Annotated[
        str | None, typer.Option(help="For fig8: another task than its suite's.")
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The folder of the figures and of their run directories.")
    ] = Path("runs/paper"),
    data: Data = Path("data"),
    engine: Engine = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    device: Device = "cpu",
    draw_only: Annotated[
        bool, typer.Option("--draw-only", help="Run nothing: draw what is there.")
    ] = False,
    overrides: Overrides = [],  # noqa: B006 typer copies it
) -> None:
    """Run or resume the suite of a figure of the paper, draw it, and compare it with the paper.

    \b
    augbench reproduce fig5
    augbench reproduce all --workers 2
    augbench reproduce fig8 --task ssvep --data data
    augbench reproduce fig7 --scale paper --address auto --out /shared/runs/paper
    """
    import_matplotlib()
    # These import torch and pandas, for which other commands need not wait.
    from rich.console import Console

    from augbench.analysis.paper.reproduce import Request, figure_names, reproduce_figures
    from augbench.bench.cli.resuming import say_how_to_resume
    from augbench.bench.driver.run_options import RunOptions
    from augbench.datasets.errors import UserError

    names = figure_names(figure)
    if task is not None and names != ("fig8",):
        raise UserError(f"--task is for fig8, given {figure}: leave out --task")
    options = RunOptions(
        out,
        data,
        engine=engine,
        address=address,
        ship_code=ship_code,
        stop_after_hours=stop_after,
        device=device,
    )
    workers_set = [] if workers is None else [f"resources.workers={workers}"]
    request = Request(
        names, scale, options, (*overrides, *workers_set), task=task, draw_only=draw_only
    )
    with say_how_to_resume():
        complete = reproduce_figures(request, Console())
    raise typer.Exit(0 if complete else 1)

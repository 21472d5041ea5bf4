"""The command that draws the paper's figures; bench finds it as an entry point."""

from pathlib import Path
from typing import Annotated

import typer

from augbench.analysis.load_matplotlib import import_matplotlib
from augbench.analysis.paper import FIGURES, Scale
from augbench.bench.cli.arguments import (
    Address,
    Data,
    Device,
    Engine,
    Overrides,
    ShipCode,
    StopAfter,
    Workers,
    starts_with,
    with_workers,
)

FigureName = Annotated[
    str,
    typer.Argument(
        metavar="FIGURE",
        help=f"{', '.join(FIGURES)}, or all.",
        autocompletion=starts_with(lambda: [*FIGURES, "all"]),
    ),
]
ScaleName = Annotated[
    Scale, typer.Option(help="small: for 2 CPU cores; paper: its own settings, for GPUs.")
]
OtherTask = Annotated[str | None, typer.Option(help="For fig8: another task than its suite's.")]
OutFolder = Annotated[
    Path, typer.Option(help="The folder of the figures and of their run directories.")
]
DrawOnly = Annotated[bool, typer.Option("--draw-only", help="Run nothing: draw what is there.")]


def reproduce(
    figure: FigureName,
    scale: ScaleName = "small",
    task: OtherTask = None,
    out: OutFolder = Path("runs/paper"),
    data: Data = Path("data"),
    engine: Engine = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    device: Device = "cpu",
    draw_only: DrawOnly = False,
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

    options = RunOptions(
        out,
        data,
        engine=engine,
        address=address,
        ship_code=ship_code,
        stop_after_hours=stop_after,
        device=device,
    )
    request = Request(
        figure_names(figure, task),
        scale,
        options,
        tuple(with_workers(overrides, workers, engine)),
        task=task,
        draw_only=draw_only,
    )
    with say_how_to_resume():
        complete = reproduce_figures(request, Console())
    raise typer.Exit(0 if complete else 1)

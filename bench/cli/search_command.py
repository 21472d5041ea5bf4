"""The command that searches for good values of a method's options."""

from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import (
    Address,
    Data,
    Device,
    Engine,
    Overrides,
    ShipCode,
    StopAfter,
    SuitePath,
    Workers,
    with_workers,
)
from augbench.bench.cli.resuming import say_how_to_resume
from augbench.bench.search.space import Backend, SamplerName


def search(
    suite: SuitePath,
    method: Annotated[str, typer.Option(help="A method: its label in the suite, or its name.")],
    param: Annotated[
        list[str],
        typer.Option(help="What to vary: an option of the method, or training.KEY. Repeatable."),
    ] = [],  # noqa: B006
    space: Annotated[
        list[str],
        typer.Option(help="The values of each --param: log:0.01:50, choice:1,4, paper, ..."),
    ] = [],  # noqa: B006
    sampler: Annotated[SamplerName, typer.Option(help="How values are chosen.")] = "tpe",
    trials: Annotated[
        int | None, typer.Option(help="How many trials.  [default: 20, or the whole grid]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of the sampler.")] = 0,
    batch: Annotated[int, typer.Option(help="How many trials are proposed at once.")] = 4,
    prune: Annotated[
        bool,
        typer.Option(help="Stop two thirds of the trials after 1/9 and after 1/3 of their steps."),
    ] = True,
    backend: Annotated[
        Backend, typer.Option(help="What begins and stops trials: Optuna alone, or Ray Tune.")
    ] = "optuna",
    out: Annotated[
        Path | None,
        typer.Option(help="The directory of the search.  [default: runs/SUITE-METHOD-search]"),
    ] = None,
    data: Data = Path("data"),
    engine: Engine = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    device: Device = "cpu",
    overrides: Overrides = [],  # noqa: B006
) -> None:
    """Search for good values of a method's options. It sees the validation metric alone.

    \b
    augbench search sinusoids --method three --param lambda --space log:0.01:50 --trials 20
    augbench run sinusoids --with runs/sinusoids-three-search/best.toml
    """
    from rich.console import Console

    from augbench.bench.driver.run_options import RunOptions
    from augbench.bench.plan.suite import find_suite, load_suite
    from augbench.bench.search.command import SearchRequest, search_suite

    read = load_suite(find_suite(suite), with_workers(overrides, workers, engine))
    folder = out or Path("runs") / f"{read.name}-{method}-search"
    options = RunOptions(
        folder,
        data,
        engine=engine,
        address=address,
        ship_code=ship_code,
        stop_after_hours=stop_after,
        device=device,
    )
    request = SearchRequest(
        str(suite), method, param, space, sampler, trials, seed, batch, prune, backend
    )
    with say_how_to_resume():
        complete = search_suite(read, request, options, Console())
    for entry in entry_points(group="augbench.commands", name="report"):
        entry.load()([folder])
    raise typer.Exit(0 if complete else 1)

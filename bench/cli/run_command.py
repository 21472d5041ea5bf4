"""The command that runs a suite."""

from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import (
    Address,
    Data,
    Device,
    Engine,
    Fragments,
    LogTo,
    Out,
    Overrides,
    ShipCode,
    StopAfter,
    SuitePath,
    Workers,
    with_workers,
)
from augbench.bench.cli.resuming import say_how_to_resume


def run(
    suite: SuitePath,
    out: Out = None,
    data: Data = Path("data"),
    engine: Engine = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed/--leave-failed", help="Try again what failed before."),
    ] = True,
    device: Device = "cpu",
    log_to: LogTo = [],  # noqa: B006 typer copies it
    overrides: Overrides = [],  # noqa: B006
    fragments: Fragments = [],  # noqa: B006
) -> None:
    """Run a suite. The same command resumes it and runs only what is missing.

    \b
    augbench run quickstart
    augbench run ssvep --data data --workers 4
    augbench run my.toml --set 'seeds=[0,1,2]' --set methods.augnet.penalty=0.5
    augbench run my.toml --address auto --out /shared/runs/mine
    """
    from rich.console import Console

    from augbench.bench.driver.run import run_suite
    from augbench.bench.driver.run_options import RunOptions
    from augbench.bench.plan.suite import find_suite, load_suite
    from augbench.bench.sinks.beside import logged_to
    from augbench.bench.terminal import print_line

    console = Console()
    read = load_suite(find_suite(suite), with_workers(overrides, workers, engine), fragments)
    options = RunOptions(
        out or Path("runs") / read.name,
        data,
        engine=engine,
        address=address,
        ship_code=ship_code,
        stop_after_hours=stop_after,
        device=device,
        retry_failed=retry_failed,
    )
    with say_how_to_resume(), logged_to(log_to, options.out, console):
        complete = run_suite(read, options, console)
    print_line(console, f"figures and tables: augbench report {options.out}")
    raise typer.Exit(0 if complete else 1)

"""The command ``augbench``. What a command needs is imported when it runs: ``--help`` is quick."""

import sys
import warnings
from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.metadata import version as installed_version
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from augbench.bench.cli import listing_commands
from augbench.bench.cli.added_commands import add_commands
from augbench.bench.cli.arguments import (
    Address,
    Data,
    Device,
    Engine,
    Fragments,
    LogTo,
    Out,
    Overrides,
    RunPath,
    ShipCode,
    StopAfter,
    SuitePath,
    TaskName,
    Workers,
    with_workers,
)
from augbench.bench.cli.check_command import check
from augbench.bench.cli.data_command import data_app
from augbench.bench.cli.doctor_command import doctor
from augbench.bench.cli.export_command import export
from augbench.bench.cli.import_command import import_policy
from augbench.bench.cli.log_command import log
from augbench.bench.cli.merge_command import merge
from augbench.bench.cli.new_command import new
from augbench.bench.cli.plan_command import plan
from augbench.bench.cli.resuming import say_how_to_resume
from augbench.bench.cli.simulate_command import simulate_nights
from augbench.bench.cli.watch_command import watch
from augbench.bench.search.space import Backend, SamplerName
from augbench.datasets.errors import UserError, UserNotice, system_error, unknown

app = typer.Typer(
    name="augbench",
    help="Compare AugNet and automatic data augmentation: how accurate, after how many hours?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it takes a third of the time and can be piped
)


def main() -> None:
    """Run the command; what the user can mend ends in one sentence and exit code 2."""
    warnings.formatwarning = _format_warning
    add_commands(app)  # `report` belongs to analysis, which imports bench
    try:
        app()
    except UserError as error:
        print(f"augbench: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"augbench: {system_error(error)}", file=sys.stderr)
        sys.exit(2)


def _format_warning(
    message: Warning | str,
    category: type[Warning],
    *position: Any,
    format_other: Callable[..., str] = warnings.formatwarning,
    **line: Any,
) -> str:
    """One line for a notice to the user; any other warning as Python formats it."""
    if issubclass(category, UserNotice):
        return f"augbench: {message}\n"
    return format_other(message, category, *position, **line)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"augbench {installed_version('augbench')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


@app.command()
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


@app.command()
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


app.command()(plan)


@app.command()
def fetch(
    task: TaskName,
    data: Data = Path("data"),
    only: Annotated[
        str, typer.Option(help="Only the files whose names match, such as 'SC400*'.")
    ] = "",
) -> None:
    """Download the data of a task. The same command resumes a download.

    \b
    augbench fetch ssvep --data data
    augbench fetch sleep_edf --only 'SC40*' --data data
    """
    from augbench.datasets import known_tasks
    from augbench.datasets.options.row import resolve

    known = known_tasks()
    if task not in known:
        raise unknown("task", task, known)
    download = known[task].fetch
    if download is None:
        raise UserError(f"task {task!r} needs no download")
    function = resolve(download)
    if not only:
        function(data)
    elif "only" in signature(function).parameters:
        function(data, only=only)
    else:
        raise UserError(f"task {task!r} is downloaded as a whole: leave out --only")


@app.command()
def status(run: RunPath) -> None:
    """Show how far a run or a search is. It works from another shell while they run.

    \b
    augbench status runs/quickstart
    """
    from augbench.bench.search.search import holds_search

    if holds_search(run):
        from rich.console import Console

        from augbench.bench.search.search_tables import show_search

        show_search(run, Console())
        return
    from augbench.bench.cli.trial_tables import status_text
    from augbench.bench.store.open_run import open_run
    from augbench.bench.store.states import is_damaged, trials_now

    directory, suite = open_run(run)
    trials = trials_now(directory, suite.plan)
    print(status_text(trials))
    raise typer.Exit(1 if is_damaged(trials) else 0)


app.command()(merge)
app.command()(export)
app.command("import")(import_policy)
app.command()(watch)
app.command()(log)
app.command()(doctor)
app.add_typer(data_app, name="data")
app.command()(new)
app.command()(check)
app.command()(simulate_nights)
for listing in listing_commands.COMMANDS:
    app.command()(listing)

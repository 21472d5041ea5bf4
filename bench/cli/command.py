"""The command."""

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from augbench.bench.cli.method_tables import method_page, method_table
from augbench.bench.cli.trial_tables import plan_table, status_tables
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import EngineName, RunOptions
from augbench.bench.plan.suite import Suite, load_suite
from augbench.bench.search.search import FILE as SEARCH_FILE
from augbench.bench.search.space import SamplerName
from augbench.bench.store.points import open_run
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials, skip_lines
from augbench.bench.terminal import print_line
from augbench.datasets import known_tasks
from augbench.datasets.errors import UserError, UserNotice, system_error, unknown
from augbench.methods import known_methods

app = typer.Typer(
    help="AugNet and automatic data augmentation under one clock.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

SuitePath = Annotated[Path, typer.Argument(help="A suite file, or the name of one that ships.")]
RunPath = Annotated[Path, typer.Argument(help="A run directory.")]
Overrides = Annotated[
    list[str], typer.Option("--set", help="Change the suite: dotted.key=value, as in TOML.")
]
Out = Annotated[Path | None, typer.Option(help="The run directory; runs/NAME without it.")]

Data = Annotated[
    Path, typer.Option(envvar="AUGBENCH_DATA", help="The folder that holds the data sets.")
]
Fragments = Annotated[
    list[Path], typer.Option("--with", help="A TOML file whose tables go over the suite's.")
]
EngineOption = Annotated[EngineName, typer.Option("--engine", help="This process, or Ray's.")]
Workers = Annotated[int | None, typer.Option(help="Units at a time; the suite's else.")]
Address = Annotated[
    str | None, typer.Option(help="A Ray cluster to join: HOST:PORT, auto, or local.")
]
ShipCode = Annotated[
    bool, typer.Option("--ship-code", help="Bring this augbench to the cluster's nodes.")
]
StopAfter = Annotated[float | None, typer.Option(help="Hours until it stops as after a Ctrl-C.")]
Device = Annotated[str, typer.Option(help="Of the inline engine: cpu or cuda.")]

SHIPPED = Path(__file__).parents[1] / "suites"


def main() -> None:
    """Run the command; what the user can mend is one sentence and exit code 2."""
    warnings.formatwarning = _format_warning
    # Layers below this one, and installed packages, bring commands of their own (``report``).
    for entry in entry_points(group="augbench.commands"):
        app.command(entry.name)(entry.load())
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
    """A warning for the terminal; without where it comes from, if it is the user's."""
    if issubclass(category, UserNotice):
        return f"augbench: {message}\n"
    return format_other(message, category, *position, **line)


@app.command()
def run(
    suite: SuitePath,
    out: Out = None,
    data: Data = Path("data"),
    engine: EngineOption = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed/--leave-failed", help="What failed before: once more, or not."
        ),
    ] = True,
    device: Device = "cpu",
    overrides: Overrides = [],  # noqa: B006 typer copies it
    fragments: Fragments = [],  # noqa: B006
) -> None:
    """Run a suite, or what is missing of it."""
    read = _read(suite, _with_workers(overrides, workers), fragments)
    options = RunOptions(
        _default_out(out, read),
        data,
        engine=engine,
        address=address,
        ship_code=ship_code,
        stop_after_hours=stop_after,
        device=device,
        retry_failed=retry_failed,
    )
    console = Console()
    with _say_how_to_resume():
        complete = run_suite(read, options, console)
    print_line(console, f"figures and tables: augbench report {options.out}")
    raise typer.Exit(0 if complete else 1)


@app.command()
def search(
    suite: SuitePath,
    method: Annotated[str, typer.Option(help="Its label in the suite, or any method.")],
    param: Annotated[
        list[str], typer.Option(help="An option of the method, or training.KEY; repeatable.")
    ] = [],  # noqa: B006
    space: Annotated[
        list[str], typer.Option(help="Of each --param: log:0.01:50, choice:1,4, paper, ...")
    ] = [],  # noqa: B006
    sampler: Annotated[SamplerName, typer.Option(help="Where to look next.")] = "tpe",
    trials: Annotated[int | None, typer.Option(help="How many; 20, or the grid, else.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sampler.")] = 0,
    batch: Annotated[int, typer.Option(help="Trials that are proposed at once.")] = 4,
    prune: Annotated[
        bool, typer.Option(help="Stop two thirds of the trials at a ninth and a third of the way.")
    ] = True,
    out: Annotated[
        Path | None, typer.Option(help="Its directory; runs/SUITE-METHOD-search without it.")
    ] = None,
    data: Data = Path("data"),
    engine: EngineOption = "ray",
    workers: Workers = None,
    address: Address = None,
    ship_code: ShipCode = False,
    stop_after: StopAfter = None,
    device: Device = "cpu",
    overrides: Overrides = [],  # noqa: B006
) -> None:
    """Search values for options of a method, by its validation metric alone."""
    from augbench.bench.search.command import (  # needs Optuna, whose import takes a second
        SearchRequest,
        search_suite,
    )

    read = _read(suite, _with_workers(overrides, workers), [])
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
    request = SearchRequest(str(suite), method, param, space, sampler, trials, seed, batch, prune)
    with _say_how_to_resume():
        complete = search_suite(read, request, options, Console())
    for entry in entry_points(group="augbench.commands", name="report"):
        entry.load()(folder)
    raise typer.Exit(0 if complete else 1)


@app.command()
def plan(
    suite: SuitePath,
    out: Out = None,
    overrides: Overrides = [],  # noqa: B006
    fragments: Fragments = [],  # noqa: B006
) -> None:
    """Show the trials of a suite, and which of them a run directory has."""
    read = _read(suite, overrides, fragments)
    directory = RunDirectory(_default_out(out, read))
    if directory.exists():
        directory.header()  # refuses another version's layout
    trials = read_trials(directory, read.plan)
    console = Console()
    console.print(plan_table(read.name, trials))
    for line in skip_lines(trials):
        print_line(console, line)


@app.command()
def fetch(task: Annotated[str, typer.Argument(help="A task.")], data: Data = Path("data")) -> None:
    """Download the data of a task, or what is missing of them."""
    known = known_tasks()
    if task not in known:
        raise unknown("task", task, known)
    download = known[task].fetch
    if download is None:
        raise UserError(f"task {task!r} needs no download")
    download(data)


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(help="A method; without it all of them.")] = None,
) -> None:
    """Show the methods that are known, or what one does and the options that it has."""
    known = known_methods()
    if name is not None and name not in known:
        raise unknown("method", name, known)
    Console().print(method_table(known) if name is None else method_page(known[name]))


@app.command()
def status(run: RunPath) -> None:
    """Show how far a run or a search is, from its files alone."""
    if (run / SEARCH_FILE).exists():
        from augbench.bench.search.command import show_search  # needs Optuna

        show_search(run, Console())
        return
    directory, suite = open_run(run)
    trials = read_trials(directory, suite.plan)
    console = Console()
    for table in status_tables(trials):
        console.print(table)
    states = Counter(trial["state"] for trial in trials)
    summary = ", ".join(f"{count} {state}" for state, count in states.most_common())
    print_line(console, f"{len(trials)} trials: {summary}")


@contextmanager
def _say_how_to_resume() -> Iterator[None]:
    """Say after what stops a driver how to go on: its run directory holds all that was done."""
    try:
        yield
    except KeyboardInterrupt:
        print("augbench: interrupted; the same command carries on", file=sys.stderr)
        raise typer.Exit(130) from None
    except OSError as error:  # a disk that is full, a share that is gone
        raise UserError(
            f"{system_error(error)}; what was finished is kept: mend that and run the same command "
            "again, it carries on"
        ) from error


def _with_workers(overrides: list[str], workers: int | None) -> list[str]:
    return overrides if workers is None else [*overrides, f"resources.workers={workers}"]


def _read(suite: Path, overrides: list[str], fragments: list[Path]) -> Suite:
    shipped = {file.stem: file for file in SHIPPED.glob("*.toml")}
    if not suite.exists() and str(suite) == suite.stem:  # a bare word
        if suite.stem not in shipped:
            raise unknown("suite", suite.stem, shipped)
        suite = shipped[suite.stem]
    return load_suite(suite, overrides, fragments)


def _default_out(out: Path | None, suite: Suite) -> Path:
    return out or Path("runs") / suite.name

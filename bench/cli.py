"""The command."""

import sys
from collections import Counter
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from bench.catalogue import method_page, method_table
from bench.listing import plan_table, status_tables
from bench.points import open_run, read_trials, skip_lines
from bench.run import Place, run_suite
from bench.store import RunDirectory
from bench.suite import Suite, load_suite
from datasets import known_tasks
from datasets.errors import UserError, system_error, unknown
from methods import known_methods

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

SHIPPED = Path(__file__).parent / "suites"


def main() -> None:
    """Run the command; what the user can mend is one sentence and exit code 2."""
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


@app.command()
def run(
    suite: SuitePath,
    out: Out = None,
    data: Data = Path("data"),
    engine: Annotated[
        Literal["inline", "ray"], typer.Option(help="This process, or Ray's workers.")
    ] = "ray",
    workers: Annotated[int | None, typer.Option(help="Units at a time; the suite's else.")] = None,
    address: Annotated[
        str | None, typer.Option(help="A Ray cluster to join: HOST:PORT, auto, or local.")
    ] = None,
    ship_code: Annotated[
        bool, typer.Option("--ship-code", help="Bring this augbench to the cluster's nodes.")
    ] = False,
    device: Annotated[str, typer.Option(help="Of the inline engine: cpu or cuda.")] = "cpu",
    overrides: Overrides = [],  # noqa: B006 typer copies it
) -> None:
    """Run a suite, or what is missing of it."""
    if workers is not None:
        overrides = [*overrides, f"resources.workers={workers}"]
    read = _read(suite, overrides)
    place = Place(
        _default_out(out, read),
        data,
        engine=engine,
        address=None if address == "local" else address,
        ship_code=ship_code,
        device=device,
    )
    console = Console()
    try:
        complete = run_suite(read, place, console)
    except KeyboardInterrupt:
        print("augbench: interrupted; the same command carries on", file=sys.stderr)
        raise typer.Exit(130) from None
    console.print(f"figures and tables: augbench report {place.out}", highlight=False)
    raise typer.Exit(0 if complete else 1)


@app.command()
def plan(suite: SuitePath, out: Out = None, overrides: Overrides = []) -> None:  # noqa: B006
    """Show the trials of a suite, and which of them a run directory has."""
    read = _read(suite, overrides)
    directory = RunDirectory(_default_out(out, read))
    if directory.exists():
        directory.header()  # refuses what a newer version wrote
    trials = read_trials(directory, read.plan)
    console = Console()
    console.print(plan_table(read.name, trials))
    for line in skip_lines(trials):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


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
    """Show how far a run is, from its files alone."""
    directory, suite = open_run(run)
    trials = read_trials(directory, suite.plan)
    console = Console()
    for table in status_tables(trials):
        console.print(table)
    states = Counter(trial["state"] for trial in trials)
    summary = ", ".join(f"{count} {state}" for state, count in states.most_common())
    console.print(f"{len(trials)} trials: {summary}", highlight=False)


def _read(suite: Path, overrides: list[str]) -> Suite:
    shipped = {file.stem: file for file in SHIPPED.glob("*.toml")}
    if not suite.exists() and str(suite) == suite.stem:  # a bare word
        if suite.stem not in shipped:
            raise unknown("suite", suite.stem, shipped)
        suite = shipped[suite.stem]
    return load_suite(suite, overrides)


def _default_out(out: Path | None, suite: Suite) -> Path:
    return out or Path("runs") / suite.name


if __name__ == "__main__":
    main()

"""The command ``augbench``. What a command needs is imported when it runs: ``--help`` is quick."""

import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer

from augbench.bench.cli import listing_commands
from augbench.bench.cli.added_commands import add_commands
from augbench.bench.cli.check_command import check
from augbench.bench.cli.data_command import data_app
from augbench.bench.cli.doctor_command import doctor
from augbench.bench.cli.export_command import export
from augbench.bench.cli.fetch_command import fetch
from augbench.bench.cli.import_command import import_policy
from augbench.bench.cli.log_command import log
from augbench.bench.cli.merge_command import merge
from augbench.bench.cli.new_command import new
from augbench.bench.cli.plan_command import plan
from augbench.bench.cli.run_command import run
from augbench.bench.cli.search_command import search
from augbench.bench.cli.simulate_command import simulate_nights
from augbench.bench.cli.status_command import status
from augbench.bench.cli.watch_command import watch
from augbench.datasets.errors import UserError, UserNotice, system_error

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


app.command()(run)
app.command()(search)
app.command()(plan)
app.command()(fetch)
app.command()(status)
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

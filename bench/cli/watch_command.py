"""The command that shows how far a run is, again and again."""

import time
from typing import Annotated

import typer

from augbench.bench.cli.arguments import RunPath


def watch(
    run: RunPath,
    seconds: Annotated[float, typer.Option(help="Between two looks.", min=0.2)] = 2.0,
) -> None:
    """Show the status of a run until it is over, from another shell. Ctrl-C ends the watching only.

    \b
    augbench watch runs/quickstart
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from augbench.bench.cli.trial_tables import status_text
    from augbench.bench.store.driver_lock import has_driver
    from augbench.bench.store.open_run import open_run
    from augbench.bench.store.states import is_damaged, trials_now

    directory, suite = open_run(run)
    trials = trials_now(directory, suite.plan)
    console = Console()
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
            while has_driver(run) or any(trial["state"] == "running" for trial in trials):
                # The last lines count most where the terminal is too low: the summary, then trials.
                lines = status_text(trials).splitlines()
                live.update(Text("\n".join(lines[-max(1, console.height - 1) :])), refresh=True)
                time.sleep(seconds)
                trials = trials_now(directory, suite.plan)
    print(status_text(trials))
    raise typer.Exit(1 if is_damaged(trials) else 0)

"""The command that shows how far a run or a search is."""

import typer

from augbench.bench.cli.arguments import RunPath


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

"""The results of a search, as the terminal shows them."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from augbench.bench.driver.display import duration
from augbench.bench.search.search_results import (
    SearchResults,
    TrialResult,
    read_search_results,
    valid_text,
)
from augbench.bench.terminal import as_text, print_line


def show_search(path: Path, console: Console) -> None:
    """Print the results of a search so far, from its files alone."""
    show_results(read_search_results(path), console)


def show_results(results: SearchResults, console: Console) -> None:
    """The table of the trials, what they cost, and why none is the best where none is."""
    console.print(_table(results))
    cost = duration(results.cost.device_hours * 3600)
    n_ended = results.n_ended
    print_line(console, f"{n_ended} of {results.n_trials} trials ended, charged {cost} in all")
    if n_ended and results.best is None:
        print_line(console, _why_no_best(results))


def _why_no_best(results: SearchResults) -> str:
    done = [trial for trial in results.trials if trial.state == "done"]
    if not done:
        return "no trial has run to its end yet, so there are no values to take over"
    reasons = dict.fromkeys(reason for trial in done for reason in trial.without_metric)
    return (
        f"there are no values to take over: each of the {len(done)} trials that ran to their end "
        f"has a part without a validation metric ({', '.join(reasons)}); lower the learning rate, "
        "raise the budget, or search another --space"
    )


def _table(results: SearchResults) -> Table:
    """A row for each trial, the best one marked."""
    keys = list(results.search.parameters)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("trial", *keys, "validation", "device time", "state"):
        table.add_column(as_text(column), overflow="fold")
    for trial in results.trials:
        values = [_abbreviate(trial.values.get(key)) for key in keys]
        time = duration(trial.device_hours * 3600)
        cells = [trial.number, *values, valid_text(trial), time, _state(trial, results)]
        table.add_row(*map(as_text, cells))
    return table


def _state(trial: TrialResult, results: SearchResults) -> str:
    state = f"{trial.state}, best" if trial is results.best else trial.state
    if trial.state == "pruned" and trial.share_of_steps:
        state += f" after 1/{round(1 / trial.share_of_steps)} of its steps"
    if trial.without_metric:
        reasons = ", ".join(dict.fromkeys(trial.without_metric))
        state += f", no metric in {len(trial.without_metric)} of {trial.n_units} units ({reasons})"
    return state


def _abbreviate(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

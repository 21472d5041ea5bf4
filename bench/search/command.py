"""The command from its words to its last line: what was asked, and what has come of it."""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from augbench.bench.driver.display import duration
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite
from augbench.bench.search.drive import run_search
from augbench.bench.search.search import make_search
from augbench.bench.search.search_results import (
    SearchResults,
    read_search_results,
    valid_text,
    write_fragment,
)
from augbench.bench.search.space import SamplerName, read_spaces
from augbench.datasets.errors import UserError

N_TRIALS = 20  # where nothing else is said


class SearchRequest(NamedTuple):
    """The words of the command that say what to search."""

    suite: str
    method: str
    param: list[str]
    space: list[str]
    sampler: SamplerName
    trials: int | None
    seed: int
    batch: int
    prune: bool


def search_suite(
    suite: Suite, request: SearchRequest, options: RunOptions, console: Console
) -> bool:
    """Search, or go on with it; True when every trial that was asked for has ended.

    Raises a UserError for bad input, before any trial begins where that can be known.
    """
    if request.trials is not None and request.trials < 1:
        raise UserError(f"--trials is {request.trials}; it has to be 1 or more")
    search = make_search(
        suite,
        request.method,
        read_spaces(request.param, request.space),
        sampler=request.sampler,
        seed=request.seed,
        batch=request.batch,
        prune=request.prune,
    )
    labels = suite.resolved["methods"]
    if request.method not in labels:
        _print_line(
            console, f"the suite names no {request.method!r} ({', '.join(labels)}): its defaults"
        )
    n_trials = request.trials or (None if request.sampler == "grid" else N_TRIALS)
    failed = run_search(search, n_trials, suite, options, console)
    results = read_search_results(options.out)
    fragment = write_fragment(options.out, results)
    for unit, reason in failed.items():
        _print_line(console, f"failed: {unit}: {reason}")
    n_ended = _show(results, console)
    if n_ended < results.n_trials:
        mend = "mend what is named above and " if failed else ""
        _print_line(console, f"{mend}run the same command again: it carries on")
    if fragment is not None:
        _print_line(console, f"take the best over: augbench run {request.suite} --with {fragment}")
    return n_ended >= results.n_trials and fragment is not None


def show_search(path: Path, console: Console) -> None:
    """What a search has come to, from its files alone."""
    _show(read_search_results(path), console)


def _show(results: SearchResults, console: Console) -> int:
    """The table of the trials and what they cost; returns how many have ended."""
    console.print(_table(results))
    n_ended = sum(trial.state != "unfinished" for trial in results.trials)
    cost = duration(results.cost.device_hours * 3600)
    _print_line(console, f"{n_ended} of {results.n_trials} trials ended, charged {cost} in all")
    return n_ended


def _table(results: SearchResults) -> Table:
    """A row for each trial, the best one marked."""
    keys = list(results.search.parameters)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("trial", *keys, "validation", "device time", "state"):
        table.add_column(column)
    for trial in results.trials:
        values = [_abbreviate(trial.values.get(key)) for key in keys]
        state = f"{trial.state}, best" if trial is results.best else trial.state
        if trial.state == "pruned":
            state += f" after 1/{round(1 / trial.share_of_steps)} of its steps"
        time = duration(trial.device_hours * 3600)
        table.add_row(str(trial.number), *values, valid_text(trial), time, state)
    return table


def _abbreviate(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _print_line(console: Console, line: str | Path) -> None:
    console.print(str(line), highlight=False, markup=False, soft_wrap=True)

"""``augbench search``: from what was asked to the last line that is printed."""

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
    TrialResult,
    read_search_results,
    valid_text,
    write_fragment,
)
from augbench.bench.search.space import SamplerName, read_spaces
from augbench.bench.terminal import as_text, print_line
from augbench.datasets.errors import UserError

N_TRIALS = 20  # by default


class SearchRequest(NamedTuple):
    """What the command line says of the search itself."""

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
    """Search, or go on with it.

    True when every trial that was asked for has ended and one of them is the best. Raises a
    UserError for bad input, before any trial begins where that can be known.
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
        print_line(
            console,
            f"the suite has no method {request.method!r} (it has {', '.join(labels)}): searching "
            "from its defaults",
        )
    n_trials = request.trials or (None if request.sampler == "grid" else N_TRIALS)
    failed = run_search(search, n_trials, suite, options, console)
    results = read_search_results(options.out)
    fragment = write_fragment(options.out, results)
    for unit, reason in failed.items():
        print_line(console, f"failed: {unit}: {reason}")
    _show(results, console)
    if results.n_ended < results.n_trials:
        mend = "mend what is named above and " if failed else ""
        print_line(console, f"{mend}run the same command again: it resumes the search")
    if fragment is not None:
        print_line(console, f"take the best over: augbench run {request.suite} --with {fragment}")
    return results.n_ended >= results.n_trials and fragment is not None


def show_search(path: Path, console: Console) -> None:
    """Print the results of a search so far, from its files alone."""
    _show(read_search_results(path), console)


def _show(results: SearchResults, console: Console) -> None:
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

"""``augbench search``: from what was asked to the last line that is printed."""

from typing import NamedTuple

from rich.console import Console

from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import Suite
from augbench.bench.search.drive import run_search
from augbench.bench.search.search import make_search
from augbench.bench.search.search_results import (
    read_search_results,
    write_fragment,
)
from augbench.bench.search.search_tables import show_results
from augbench.bench.search.space import Backend, SamplerName, read_spaces
from augbench.bench.terminal import print_line
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
    backend: Backend = "optuna"


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
        backend=request.backend,
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
    show_results(results, console)
    if results.n_ended < results.n_trials:
        mend = "mend what is named above and " if failed else ""
        print_line(console, f"{mend}run the same command again: it resumes the search")
    if fragment is not None:
        print_line(console, f"take the best over: augbench run {request.suite} --with {fragment}")
    return results.n_ended >= results.n_trials and fragment is not None

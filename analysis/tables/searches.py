"""The trials of a search as a table, and its costs on the curve of its method."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from augbench.analysis.tables.frame import POINT_COLUMNS, Results
from augbench.bench.search.search_results import SearchResults
from augbench.bench.store.open_run import open_run
from augbench.datasets.errors import UserError

COLUMNS = (
    "trial",
    "state",
    "valid",
    "standard_error",
    "device_hours",
    "forward",
    "backward",
    "share_of_steps",
)
_PAID = ("hours_", "forward_", "backward_")  # how the columns of costs begin


def trial_table(results: SearchResults) -> pd.DataFrame:
    """One row per trial: ``COLUMNS``, a column for each parameter, ``best``, ``hours_so_far``.

    ``best`` is the best validation metric of the trials so far that ran to their end, and
    ``hours_so_far`` all that the trials so far were charged. ``valid`` is empty for a trial that
    is unfinished or has shown no metric.
    """
    rows = [[getattr(trial, name) for name in COLUMNS[1:]] for trial in results.trials]
    table = pd.DataFrame(rows, columns=list(COLUMNS[1:]))
    table.insert(0, "trial", [trial.number for trial in results.trials])
    table[["valid", "standard_error"]] = table[["valid", "standard_error"]].astype("float64")
    for key in results.search.parameters:
        table[key] = [trial.values.get(key) for trial in results.trials]
    best = table["valid"].where(table["state"] == "done").cummax().ffill()
    return table.assign(best=best, hours_so_far=table["device_hours"].cumsum())


def charge_searches(results: Results, run: Path) -> Results:
    """The same results, with the costs of searches added to the methods whose options they chose.

    The whole search is added to the curve of each trial, in both readings: it has to be paid before
    there is a first model of that method.
    UserError: no method of the run says what its search was charged.
    """
    searches = open_run(run)[1].searches
    if not searches:
        raise UserError(
            f"--charge-search: the suite {results.suite!r} names no search; run it with the "
            "best.toml that augbench search wrote: augbench run SUITE --with best.toml"
        )
    points = results.points.copy()
    for label, search in searches.items():
        own = points["method"] == label
        for cost in (each for each in POINT_COLUMNS if each.startswith(_PAID)):
            kind = cost.partition("_")[0]
            paid = search.device_hours if kind == "hours" else getattr(search, kind)
            points.loc[own, cost] += paid
    notes = [_note(label, search.directory) for label, search in searches.items()]
    return replace(results, points=points, notes=(*results.notes, *notes))


def _note(label: str, directory: str) -> str:
    return f"Hours and samples of {label} include those of the search in {directory}."

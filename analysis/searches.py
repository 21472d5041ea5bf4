"""What a search has come to: its table, its figure, and its costs on the curve that it made."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from augbench.analysis.figures import COLOURS, STYLE
from augbench.analysis.frame import COSTS, Results
from augbench.analysis.panels import readable_unit
from augbench.analysis.report import csv, png, svg, write
from augbench.bench.search.search_results import SearchResults, read_search_results
from augbench.bench.search.space import scale
from augbench.bench.store.points import open_run
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


def trial_table(results: SearchResults) -> pd.DataFrame:
    """One row per trial, by number: ``COLUMNS``, a column for each parameter, and two that sum up.

    ``best`` is the validation metric of the best of the trials so far that ran to their end, and
    ``hours_so_far`` what all of them were charged; both are empty or stand still where a trial is
    unfinished.
    """
    rows = [(t.number, t.state, t.valid, t.standard_error, *t[5:]) for t in results.trials]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table[["valid", "standard_error"]] = table[["valid", "standard_error"]].astype("float64")
    for key in results.search.parameters:
        table[key] = [trial.values.get(key) for trial in results.trials]
    best = table["valid"].where(table["state"] == "done").cummax().ffill()
    return table.assign(best=best, hours_so_far=table["device_hours"].cumsum())


def search_figure(table: pd.DataFrame, scales: dict[str, str], title: str) -> Figure:
    """Validation metric against each parameter, and the best so far against the hours spent.

    ``scales`` has the parameters and how their axes are drawn (bench/search/space.py).
    """
    n_panels = len(scales) + 1
    with matplotlib.rc_context({**sns.axes_style("whitegrid"), **STYLE}):
        figure = Figure(figsize=(3.6 * n_panels + 0.4, 3.4), layout="constrained")
        panels = list(figure.subplots(1, n_panels, sharey=True, squeeze=False).flat)
        for panel, (key, kind) in zip(panels, scales.items(), strict=False):
            _draw_trials(panel, table, table[key].astype("str") if kind == "words" else table[key])
            panel.set_xlabel("penalty λ" if key == "penalty" else key)
            if kind == "log":
                panel.set_xscale("log")
        unit, factor = readable_unit("hours", float(table["hours_so_far"].max()))
        hours = table["hours_so_far"] * factor
        _draw_trials(panels[-1], table, hours)
        panels[-1].plot(hours, table["best"], drawstyle="steps-post", color=COLOURS[0])
        panels[-1].set_xlabel(f"device {unit}, all trials so far")
        panels[0].set_ylabel("validation metric")
        if table["valid"].notna().any():
            panels[-1].legend(frameon=False)
        for panel in panels:
            sns.despine(ax=panel)
        figure.suptitle(title, fontsize=12, fontweight="bold")
    return figure


def _draw_trials(panel: Axes, table: pd.DataFrame, x: "pd.Series[Any]") -> None:
    """A marker and its standard error for each trial; hollow where it was stopped on the way."""
    for state, fill in (("pruned", "white"), ("done", COLOURS[0])):
        rows = table["state"] == state
        if rows.any():
            panel.errorbar(
                x[rows],
                table["valid"][rows],
                yerr=table["standard_error"][rows].fillna(0.0),
                fmt="o",
                color=COLOURS[0],
                markerfacecolor=fill,
                markersize=6,
                linewidth=1,
                label=state,
            )


def write_search_report(path: Path, folder: Path) -> list[Path]:
    """Writes ``trials.csv``, ``search.png`` and ``search.svg`` of a search, finished or not."""
    results = read_search_results(path)
    table = trial_table(results)
    scales = {key: scale(space) for key, space in results.search.spaces.items()}
    ended = int((table["state"] != "unfinished").sum())
    title = f"{results.search.method}: {ended} of {results.n_trials} trials ended"
    figure = search_figure(table, scales, title)
    contents = {"trials.csv": csv(table), "search.png": png(figure), "search.svg": svg(figure)}
    return [write(folder / name, content) for name, content in contents.items()]


def charge_searches(results: Results, run: Path) -> Results:
    """The same results where each method that a search chose options for also pays for it.

    All of a search goes onto the curve of each trial, in both readings: whoever wants the first
    model of that method has to pay for the whole of it first.
    UserError: no method of the run says what its search was charged.
    """
    searches = open_run(run)[1].searches
    if not searches:
        raise UserError(
            f"--charge-search: the suite of {run} names no search; run it with the best.toml that "
            "augbench search wrote: augbench run SUITE --with best.toml"
        )
    points = results.points.copy()
    for label, search in searches.items():
        own = points["method"] == label
        for cost in COSTS:
            kind = cost.partition("_")[0]
            paid = search.device_hours if kind == "hours" else getattr(search, kind)
            points.loc[own, cost] += paid
    notes = [_note(label, search.directory) for label, search in searches.items()]
    return replace(results, points=points, notes=tuple(notes))


def _note(label: str, directory: str) -> str:
    return f"Hours and samples of {label} hold those of the search in {directory}."

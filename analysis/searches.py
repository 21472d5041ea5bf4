"""The report of a search: its table, its figure, and its costs on the curve of its method."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from augbench.analysis.frame import POINT_COLUMNS, Results
from augbench.analysis.panels import readable_unit
from augbench.analysis.report import png, svg, write
from augbench.analysis.settings import plot_settings
from augbench.analysis.text import csv
from augbench.bench.printable import printable
from augbench.bench.search.search_results import SearchResults, read_search_results
from augbench.bench.search.space import scale
from augbench.bench.store.points import open_run
from augbench.datasets.errors import UserError

COLOUR = "#3f95d8"
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


def search_figure(table: pd.DataFrame, scales: dict[str, str], title: str) -> Figure:
    """Validation metric against each parameter, and the best so far against the hours spent.

    ``scales`` has the parameters and how their axes are drawn (bench/search/space.py).
    """
    n_panels = len(scales) + 1
    with plot_settings():
        figure = Figure(figsize=(3.6 * n_panels + 1.2, 3.4), layout="constrained")
        panels = list(figure.subplots(1, n_panels, sharey=True, squeeze=False).flat)
        for panel, (key, kind) in zip(panels, scales.items(), strict=False):
            words = kind == "words"
            _draw_trials(
                panel, table, table[key].astype("str").map(printable) if words else table[key]
            )
            panel.set_xlabel("penalty λ" if key == "penalty" else key)
            if kind == "log":
                _logarithmic(panel)
        unit, factor = readable_unit("hours", float(table["hours_so_far"].max()))
        hours = table["hours_so_far"] * factor
        _draw_trials(panels[-1], table, hours)
        panels[-1].plot(hours, table["best"], drawstyle="steps-post", color=COLOUR)
        panels[-1].set_xlabel(f"device {unit}, all trials so far")
        panels[0].set_ylabel("validation metric")
        handles, labels = panels[-1].get_legend_handles_labels()
        if handles:  # beside the panels, so that no trial is covered
            figure.legend(handles, labels, loc="outside right center", frameon=False)
        for panel in panels:
            sns.despine(ax=panel)
        figure.suptitle(printable(title), fontsize=12, fontweight="bold")
    return figure


def _logarithmic(panel: Axes) -> None:
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    panel.xaxis.set_major_locator(LogLocator(subs=(1,) if high > 1000 * low else (1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _draw_trials(panel: Axes, table: pd.DataFrame, x: "pd.Series[Any]") -> None:
    """A marker and its standard error for each trial; hollow where it was pruned."""
    for state, fill in (("pruned", "white"), ("done", COLOUR)):
        rows = (table["state"] == state) & table["valid"].notna()
        if rows.any():
            panel.errorbar(
                x[rows],
                table["valid"][rows],
                yerr=table["standard_error"][rows].fillna(0.0),
                fmt="o",
                color=COLOUR,
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


_PAID = ("hours_", "forward_", "backward_")  # how the columns of costs begin


def charge_searches(results: Results, run: Path) -> Results:
    """The same results, with the costs of searches added to the methods whose options they chose.

    The whole search is added to the curve of each trial, in both readings: it has to be paid before
    there is a first model of that method.
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
        for cost in (each for each in POINT_COLUMNS if each.startswith(_PAID)):
            kind = cost.partition("_")[0]
            paid = search.device_hours if kind == "hours" else getattr(search, kind)
            points.loc[own, cost] += paid
    notes = [_note(label, search.directory) for label, search in searches.items()]
    return replace(results, points=points, notes=(*results.notes, *notes))


def _note(label: str, directory: str) -> str:
    return f"Hours and samples of {label} include those of the search in {directory}."

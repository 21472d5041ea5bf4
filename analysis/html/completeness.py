"""Which trials are done, failed, missing or skipped: a cell for each task, method and fold."""

import pandas as pd
from markupsafe import Markup

from augbench.analysis.html.elements import (
    Cell,
    Section,
    bullets,
    details,
    join,
    paragraph,
    table,
)
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.tables.frame import FINISHED, finished
from augbench.bench.store.states import skip_lines

MOST_LINES = 30  # of trials that are not done, before they are shown on demand alone
MOST_OPEN = 2  # matrices of tasks of which all trials are done
INCOMPLETE = "incomplete"  # it is over, but without some of its points
# What a cell shows for a trial: a sign, a class of page.css, and what it means.
STATES = {
    "done": ("✓", "good", "done"),
    INCOMPLETE: ("◐", "fair", "over, without some of its points"),
    "diverged": ("∞", "fair", "diverged: the loss was not a number"),
    "running": ("▸", "calm", "running"),
    "waiting": ("·", "calm", "missing: waiting, or interrupted"),
    "failed": ("✗", "bad", "failed"),
    "damaged": ("!", "bad", "damaged: a file is not what it was"),
    "skipped": ("–", "calm", "skipped: the method does not fit the task"),
}


def completeness_section(report: ReportData) -> Section | None:
    """A matrix for each task, and a line for each trial that is not done."""
    trials = _trials(report)
    if trials.empty:
        return None
    parts = [_key(trials)]
    tasks = [str(task) for task in trials["task"].unique()]
    for task in tasks:
        of_task = trials[trials["task"] == task]
        whole = of_task["shown"].isin(["done", "skipped"]).all()
        parts.append(
            details(
                f"{task}: {_done(list(of_task['shown']))}",
                _matrix(report, task, of_task),
                is_open=not whole or len(tasks) <= MOST_OPEN,
            )
        )
    lines = _lines(trials)
    if len(lines):
        summary = f"The {len(lines)} that are not done, and why"
        parts.append(details(summary, bullets(lines), is_open=len(lines) <= MOST_LINES))
    parts.append(bullets(skip_lines(report.results.skipped.to_dict("records"))))
    return Section("completeness", "Completeness", join(parts))


def _trials(report: ReportData) -> pd.DataFrame:
    """All planned trials, skipped ones too, with the ``shown`` state of each."""
    trials = report.results.trials
    done = finished(trials)
    over = trials["state"].isin(FINISHED)
    shown = trials["state"].mask(done, "done").mask(over & ~done, INCOMPLETE)
    skipped = report.results.skipped.assign(shown="skipped")
    return pd.concat([trials.assign(shown=shown), skipped]).sort_values(["task", "fold", "seed"])


def _key(trials: pd.DataFrame) -> Markup:
    """What the signs mean; only those that occur."""
    counts = trials["shown"].value_counts()
    parts = [
        Markup("<span>{} {}</span>").format(_sign(state), f"{meaning} ({counts[state]})")
        for state, (_, _, meaning) in STATES.items()
        if state in counts
    ]
    return paragraph(join(parts), "key")


def _sign(state: str) -> Markup:
    sign, kind, _ = STATES[state]
    return Markup('<span class="sign {}" aria-hidden="true">{}</span>').format(kind, sign)


def _matrix(report: ReportData, task: str, trials: pd.DataFrame) -> Markup:
    """Methods down, folds across, a sign for each seed."""
    folds = sorted(trials["fold"].unique())
    styles = report.styles
    states = {keys: list(group["shown"]) for keys, group in trials.groupby(["method", "fold"])}
    rows = []
    for method in sorted(trials["method"].unique(), key=lambda label: styles[label].order):
        of_method = [states.get((method, fold), []) for fold in folds]
        rows.append(
            [
                Cell(named(method, styles[method])),
                *(Cell(_signs(cell)) for cell in of_method),
                Cell(_done([state for cell in of_method for state in cell])),
            ]
        )
    seeds = sorted(trials["seed"].unique())
    each = f"; in each cell the seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else ""
    header = ["method", *(f"fold {fold}" for fold in folds), "trials"]
    caption = f"Trials of {task}, by method and fold{each}"
    return Markup('<div class="matrix">{}</div>').format(table(caption, header, rows))


def _done(states: list[str]) -> str:
    """How many are done, of those of which anything is expected."""
    skipped = states.count("skipped")
    planned = len(states) - skipped
    parts = [f"{states.count('done')} of {planned} done"] if planned else []
    return ", ".join([*parts, f"{skipped} skipped"] if skipped else parts)


def _signs(states: list[str]) -> Markup:
    """The signs of a cell, and the same in words for those who hear the page."""
    words = ", ".join(states) or "not planned"
    return Markup('{}<span class="heard">{}</span>').format(
        Markup("").join(map(_sign, states)), words
    )


def _lines(trials: pd.DataFrame) -> list[str]:
    rows = trials[~trials["shown"].isin(["done", "skipped"])]
    return [
        f"{row['task']} {row['method']} fold {row['fold']} seed {row['seed']}: {row['state']}"
        + (f" ({row['reason']})" if row["reason"] else "")
        + f", {row['points_scored']} of {row['points_known']} points scored"
        for row in rows.to_dict("records")
    ]

"""The run in about five sentences, for the top of the page and for the terminal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from augbench.analysis.html.elements import Section, bullets
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.tables.curves import contended_trials, shared_trials
from augbench.analysis.tables.frame import LEAST_BUSY, Results, finished
from augbench.analysis.tables.gains import all_references, final_test_scores
from augbench.analysis.tables.panels import readable_unit
from augbench.bench.printable import printable
from augbench.datasets.errors import counted

MOST_TASKS = 2  # that have sentences of their own
MOST_METHODS = 5  # of a task whose medians are all named
# With fewer pairs no two-sided test of signs or ranks can give p < .05, however one-sided they are.
LEAST_PAIRS = 6


def summary_section(report: ReportData) -> Section:
    """The sentences."""
    return Section("summary", "Summary", bullets(sentences(report)))


def sentences(report: ReportData) -> list[str]:
    """How far the run is; for each task, the best and how sure that is; costs; what went wrong."""
    results, scores = report.results, report.scores
    found = [_progress(results)]
    scored = scores.dropna(subset="test")
    tasks = list(scored["task"].unique())
    for task in tasks[:MOST_TASKS]:
        found.append(_best(results, scored[scored["task"] == task], _metric(results, task)))
        if sentence := _certainty(results, task):
            found.append(sentence)
    if len(tasks) > MOST_TASKS:
        found.append(f"The table of scores has {counted(len(tasks) - MOST_TASKS, 'task')} more.")
    if not results.points.empty:
        found += [_costs(results), _timings(results, report.include_shared)]
    return [printable(sentence) for sentence in [*found, _failures(results)] if sentence]


def _progress(results: Results) -> str:
    trials = results.trials
    done, known = int(finished(trials).sum()), int(trials["points_known"].sum())
    if not len(trials):
        return "This run has no trials."
    size = ", ".join(
        counted(trials[column].nunique(), column) for column in ("task", "method", "fold", "seed")
    )
    points = (
        f"{len(results.points)} of {known} points are scored" if known else "no point is scored yet"
    )
    return f"{done} of {len(trials)} trials are done ({size}); {points}."


def _metric(results: Results, task: str) -> str:
    metric: str = results.points.loc[results.points["task"] == task, "metric"].iloc[0]
    return metric.replace("_", " ")


def _best(results: Results, scores: pd.DataFrame, metric: str) -> str:
    """The highest median, or all that are equal to it; the references; of few methods, the rest."""
    best = scores.sort_values("test", ascending=False, kind="stable").iloc[0]
    references = scores["method"].isin(all_references(results, scores["method"]))
    tied = scores["test"].map(_digits) == _digits(best["test"])  # as a reader sees them
    if tied.sum() > 1:
        *names, last = [
            *scores.loc[tied & references, "method"],
            *scores.loc[tied & ~references, "method"],
        ]
        what = (
            f"{', '.join(names)} and {last} are equal, at {_digits(best['test'])}, the highest "
            f"median test {metric}"
        )
    else:
        what = f"{best['method']} has the highest median test {metric}, {_score(best)}"
    beside, others = scores[references & ~tied], scores[~references & ~tied]
    parts = [f"{best['task']}: {what}"]
    if len(beside):
        word = "the reference" if len(beside) == 1 else "the references"
        parts.append(f"{word}: " + ", ".join(_named(beside, _score)))
    if len(others) and len(scores) <= MOST_METHODS:
        word = "the other method" if len(others) == 1 else "the other methods"
        parts.append(f"{word}: " + ", ".join(_named(others, lambda row: _digits(row["test"]))))
    return f"{'; '.join(parts)}."


def _named(scores: pd.DataFrame, shown: Callable[["pd.Series[Any]"], str]) -> list[str]:
    return [f"{row['method']} {shown(row)}" for _, row in scores.iterrows()]


def _digits(score: float) -> str:
    return f"{score:.3f}"


def _score(row: "pd.Series[Any]") -> str:
    if row["scored"] == 1:
        return f"{_digits(row['test'])} (n = 1)"
    quartiles = f"{row['test_q1']:.3f} to {row['test_q3']:.3f}"
    return f"{_digits(row['test'])} (quartiles {quartiles}, n = {row['scored']})"


def _certainty(results: Results, task: str) -> str:
    """Whether folds and seeds differ by more than methods do, and whether there are enough."""
    finals = final_test_scores(results)
    finals = finals[finals["task"] == task]
    if finals.empty:
        return ""
    of_method = finals.groupby("method")["test"]
    n = int(of_method.size().max())
    if finals["method"].nunique() < 2:
        return ""
    if n < 2:
        return f"{task}: each method has one trial, so chance cannot be told from a difference."
    within, between = float(np.sqrt(of_method.var().mean())), float(of_method.mean().std())
    what = _repetitions(finals)
    more = "more" if within > between else "less"
    sentence = (
        f"{task}: between {what}, the scores of one method differ by {within:.3f} (standard "
        f"deviation); between methods, the mean scores differ by {between:.3f}. So {what} change a "
        f"score {more} than methods do."
    )
    if n < LEAST_PAIRS:
        return (
            f"{sentence} With n = {n}, a method can be the best in each of them by chance alone "
            f"(sign test: p = {2 * 0.5**n:.2g}), so this run shows no order of methods."
        )
    return sentence


def _repetitions(finals: pd.DataFrame) -> str:
    words = [word for word in ("fold", "seed") if finals[word].nunique() > 1]
    return " and ".join(f"{word}s" for word in words) or "trials"


def _costs(results: Results) -> str:
    """What all trials were charged, which is not what the run took."""
    last = results.points.groupby("trial")[["hours_full", "forward_full", "backward_full"]].max()
    unit, factor = readable_unit("hours", float(last["hours_full"].sum()))
    devices = " and ".join(sorted(results.points["device"].unique()))
    samples, size = readable_unit("forward", float(last["forward_full"].sum()))
    sentence = (
        f"All trials together were charged {_three(last['hours_full'].sum() * factor)} device "
        f"{unit} on {devices} (full reading: the search and every "
        f"retraining of a policy; the paper reading counts one retraining) for "
        f"{_three(last['forward_full'].sum() * size)} {samples} forward"
    )
    if searched := sum(results.search_hours.values()):
        unit, factor = readable_unit("hours", searched)
        sentence += f"; the searches for their options took {_three(searched * factor)} {unit} more"
    lost = float(results.trials["wasted_seconds"].sum())
    wasted = f"; {lost:.0f} s were wasted and charged to none" if lost >= 0.5 else ""
    return f"{sentence}{wasted}."


def _three(value: float) -> str:
    """Three digits."""
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def _timings(results: Results, include_shared: bool) -> str:
    """Which hours are not to be trusted."""
    n, parts = len(results.trials), []
    if contended := len(contended_trials(results, "hours_full")):
        parts.append(
            f"{contended} of {n} trials had a processor for less than {LEAST_BUSY:.0%} of their "
            "time, so that their hours are too long"
        )
    if shared := len(shared_trials(results, "hours_full")):
        kept = "kept all the same" if include_shared else "left out"
        parts.append(f"{shared} of {n} trials shared their GPU, and their hours are {kept}")
    return f"{'; '.join(parts)}." if parts else ""


def _failures(results: Results) -> str:
    """What is missing, in numbers; the section on completeness says which and why."""
    missing = results.trials[~finished(results.trials)]
    if missing.empty and results.skipped.empty:
        return "No trial failed, and none was skipped."
    counts = missing["state"].value_counts()
    parts = _numbered({str(state): int(counts[state]) for state in sorted(counts.index)})
    if len(results.skipped):
        parts.append(f"{len(results.skipped)} skipped, since the method does not fit the task")
    return f"Trials that are not done: {', '.join(parts)}."


def _numbered(counts: dict[str, int]) -> list[str]:
    words = {"done": "over, but without some of their points"}
    words |= {"over budget": "over budget before their points were scored"}
    return [f"{number} {words.get(state, state)}" for state, number in counts.items()]

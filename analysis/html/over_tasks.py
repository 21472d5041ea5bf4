"""Over the tasks of a run: which methods are better, and where too few tasks can tell."""

from collections.abc import Iterable
from math import isinf
from typing import Any

import pandas as pd
from markupsafe import Markup

from augbench.analysis.html.curves import picture
from augbench.analysis.html.elements import (
    Cell,
    Section,
    bullets,
    code,
    details,
    heading,
    join,
    paragraph,
    table,
)
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.statistics.paired import ALPHA, least_tasks
from augbench.analysis.statistics.result import p_text, too_few
from augbench.analysis.tables.task_scores import first_references, mixed_devices
from augbench.datasets.errors import counted

REFERENCES = (
    "A task is won by the higher interquartile mean of the folds and seeds that both have. The "
    "difference is the median of the means of all pairs of tasks (Hodges and Lehmann). p is that "
    "of Wilcoxon's signed-rank test over tasks; p after Holm's method is corrected for all methods "
    "that are held against one reference. Better run: the chance that a run of the method beats "
    "one of the reference on the same task, ties count half. Speed-up: how many times sooner the "
    "median run reaches the target in validation, geometric mean over tasks; who does not reach it "
    "counts as the longest run and a second. references.csv has all numbers."
)
OVERALL = (
    "Interquartile mean of the final test scores of all runs, with its bootstrap interval over "
    "folds within tasks; there is none for a method without a run on some task. Gap: by how much "
    "runs miss 1 on average. Time score: 1 for a method that is the fastest to the target on every "
    "task, 0 for one that always takes over 4 times as long. overall.csv has all numbers."
)
MOST_NAMED = 12  # methods in a sentence on ranks
DRAWN_BY = {"profile": "profile_figure", "ranks": "rank_figure"}  # of augbench.analysis


def over_tasks_section(report: ReportData) -> Section | None:
    """Sentences, ranks, and both tables; nothing before the first run has ended."""
    overall, references = report.overall, report.references
    if not overall["n"].any():
        return None
    parts = [bullets(over_tasks_sentences(report))]
    parts += [_picture(report, figure, _ranks_in_words(figure)) for figure in _of(report, "ranks")]
    if report.results.trials["task"].nunique() > 1:
        parts += [heading("All runs of all tasks"), _overall(report), paragraph(OVERALL)]
    if len(references):
        parts += [heading("Against the references"), _references(report), paragraph(REFERENCES)]
    for figure in _of(report, "profile"):
        words = f"{figure.task}: share of the runs of each method that have at least a test score"
        drawn = _picture(report, figure, words)
        parts.append(details(f"{figure.task}: the runs of each method, as a profile", drawn))
    return Section("over-tasks", "Over tasks", join(parts))


def over_tasks_sentences(report: ReportData) -> list[str]:
    """What the tests over tasks say, what they lack, and what the numbers hold: (sentences,)."""
    results = report.results
    tests = [_against(report, reference) for reference in first_references(results)]
    found = [_friedman(report), *tests]
    if results.trials["task"].nunique() == 1:
        found = [
            "This run has one task, so no test over tasks is made; the gains have one of folds."
        ]
    return [sentence for sentence in [*found, *_lacks(report), *_scales(report)] if sentence]


def _friedman(report: ReportData) -> str:
    """Whether the methods differ in rank, or why they are not ranked."""
    ranking, test = report.ranking, report.ranking.result.iman_davenport
    if test.reason:
        return f"The ranks of methods over tasks are not tested: {test.reason}."
    ranked = sorted(zip(ranking.result.ranks, ranking.methods, strict=True))
    best = ", ".join(f"{method} {rank:.2f}" for rank, method in ranked[:MOST_NAMED])
    ranks = best if len(ranked) <= MOST_NAMED else f"the first {MOST_NAMED} are {best}"
    verdict = "differ" if ranking.differ else "cannot be told apart"
    statistic = "infinite" if isinf(test.statistic) else f"= {test.statistic:.2f}"
    sentence = (
        f"Over {len(ranking.tasks)} tasks the mean ranks of {len(ranked)} methods {verdict} "
        f"(Friedman's test in the form of Iman and Davenport: F {statistic}, "
        f"{p_text(test.p)}): {ranks}"
    )
    if ranking.differ:
        sentence += (
            f"; two ranks that differ by less than {ranking.critical_difference:.2f} cannot be "
            "told apart (Nemenyi, at the level of 5 %)"
        )
    return f"{sentence}."


def _against(report: ReportData, reference: str) -> str:
    """Which methods are better and worse than a reference over tasks, or why this is not known."""
    rows = report.references[report.references["reference"] == reference]
    if rows.empty:
        return ""
    tested = rows.dropna(subset="p_holm")
    if tested.empty:
        most = int((rows["wins"] + rows["losses"]).max())
        why = too_few("tasks on which both have a run and differ", most, least_tasks())
        return f"No method is tested against {reference} over tasks: {why}."
    most, needed = int((tested["wins"] + tested["losses"]).max()), least_tasks(ALPHA / len(tested))
    if most < needed:
        return (
            f"Against {reference}, {counted(most, 'task')} cannot tell any of "
            f"{counted(len(tested), 'method')} from it after Holm's correction: {needed} are "
            "needed."
        )
    sure = tested["p_holm"] < ALPHA
    parts = [
        _verdict(tested[sure & (tested["difference"] > 0)], "better"),
        _verdict(tested[sure & (tested["difference"] <= 0)], "worse"),
        _names(tested.loc[~sure, "method"], "cannot be told from it"),
        _names(rows.loc[rows["p"].isna(), "method"], "not tested, too few tasks"),
    ]
    return (
        f"Against {reference} over tasks (signed-rank test, p after Holm's correction): "
        f"{'; '.join(filter(None, parts))}."
    )


def _verdict(rows: pd.DataFrame, word: str) -> str:
    found = [f"{row['method']} ({p_text(row['p_holm'])})" for row in rows.to_dict("records")]
    return f"{word}: {', '.join(found)}" if found else ""


def _names(methods: Iterable[str], words: str) -> str:
    names = ", ".join(methods)
    return f"{words}: {names}" if names else ""


def _lacks(report: ReportData) -> list[str]:
    """Which runs, methods and tasks do not count."""
    results, ranking = report.results, report.ranking
    planned, scored = int(report.overall["planned"].sum()), int(report.overall["n"].sum())
    imputed = len(results.imputed)
    found = []
    if scored < planned:
        found.append(
            f"{planned - scored} of {planned} runs have no final score, and nothing stands in for "
            "them; comparisons are over the folds and seeds that are there."
        )
    if imputed:
        found.append(
            f"* {imputed} of {planned} runs failed and count as runs at chance level, as "
            "--impute-failed asks."
        )
    if results.trials["task"].nunique() > 1:
        found += [
            _names(ranking.unplanned, "Not ranked, since some task is without them"),
            _names(ranking.without_run, "Not ranked, since they have no run"),
            _names(ranking.left_out, "Tasks without ranks, for no fold has a run of every method"),
        ]
        mixed = ", ".join(mixed_devices(results))
        found.append(
            f"Hours of several devices do not compare: on {mixed} no time counts" if mixed else ""
        )
    return [f"{sentence.removesuffix('.')}." for sentence in found if sentence]


def _scales(report: ReportData) -> list[str]:
    """What a score over tasks is."""
    if report.results.trials["task"].nunique() < 2:
        return []
    if report.overall["rescaled"].all():
        return ["For means over tasks, scores are rescaled: 0 is chance level, 1 is perfect."]
    return [
        "Means over tasks are those of the metric as it is, since the chance level of some task is "
        "not known."
    ]


def _overall(report: ReportData) -> Markup:
    header = ["method", "mean rank", "interquartile mean [95 %]", "gap", "tasks with a target met"]
    header += ["time score", "runs"]
    rows = [
        [
            Cell(named(row["method"], report.styles[row["method"]])),
            _number(row["rank"], "{:.2f}"),
            _interval(row),
            _number(row["optimality_gap"]),
            Cell(f"{row['reached']} of {row['timed']}", row["reached"]),
            _number(row["time_score"]),
            Cell(f"{row['n']} of {row['planned']}{_mark(row)}", row["n"]),
        ]
        for row in report.overall.to_dict("records")
    ]
    return table("Methods over all tasks", header, rows, sortable=True)


def _interval(row: dict[Any, Any]) -> Cell:
    """The mean with its interval, or why there is none."""
    if pd.isna(row["iqm"]):
        return Cell(row["why"])
    inside = row["why"] or f"{row['low']:.3f}, {row['high']:.3f}"
    return Cell(f"{row['iqm']:.3f} [{inside}]", row["iqm"])


def _references(report: ReportData) -> Markup:
    """Columns of p only where there is any."""
    references = report.references
    tested = references["p"].notna().any()
    header = ["method", "over", "won / level / lost", "difference"]
    header += ["p", "p after Holm"] if tested else []
    header += ["better run", "speed-up", "tasks"]
    rows = [
        [
            Cell(named(row["method"], report.styles[row["method"]])),
            Cell(row["reference"]),
            Cell(f"{row['wins']} / {row['ties']} / {row['losses']}", row["wins"] - row["losses"]),
            _number(row["difference"], "{:+.3f}"),
            *([_p(row["p"], row["why"]), _p(row["p_holm"])] if tested else []),
            _number(row["improvement"], "{:.0%}"),
            _number(row["speedup"], "{:.2f}x"),
            Cell(f"{row['tasks']} of {row['planned']}{_mark(row)}", row["tasks"]),
        ]
        for row in references.to_dict("records")
    ]
    return table("Methods against the references over tasks", header, rows, words=2, sortable=True)


def _mark(row: dict[Any, Any]) -> str:
    return f" ({row['imputed']} failed *)" if row["imputed"] else ""


def _number(value: float, form: str = "{:.3f}") -> Cell:
    return Cell("-") if pd.isna(value) else Cell(form.format(value), float(value))


def _p(value: float, why: str = "-") -> Cell:
    if pd.isna(value):
        return Cell(why)
    return Cell(p_text(value).removeprefix("p ").removeprefix("= "), value)


def _of(report: ReportData, name: str) -> list[DrawnFigure]:
    return [figure for figure in report.figures if figure.name == name]


def _ranks_in_words(figure: DrawnFigure) -> str:
    ranks = ", ".join(
        f"{row['method']} {row['rank']:.2f}" for row in figure.table.to_dict("records")
    )
    return f"Critical-difference diagram. Mean ranks over tasks, the best first: {ranks}"


def _picture(report: ReportData, figure: DrawnFigure, words: str) -> Markup:
    """A figure, and the commands that draw it again."""
    stem = figure.stem
    program = f"import pandas as p, augbench.analysis as a; t = p.read_csv('{stem}.csv'); "
    program += f"a.{DRAWN_BY[figure.name]}(t).savefig('{stem}.pdf')"
    lines = f"# writes {stem}.csv, .svg and .png into its folder\n{report.command_line}\n"
    lines += f'# draws from that table\npython -c "{program}"'
    again = code(lines, f"the commands that draw {stem} again")
    drawn = picture(figure, f"{words}; the same numbers as in {stem}.csv")
    return join([drawn, details(f"The commands that draw {stem} again", again)])

"""The report of a run: figures, tables and a page, each file written whole or not at all."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from augbench.analysis.figures.accuracy import FIGURES
from augbench.analysis.figures.costs import cost_figure
from augbench.analysis.figures.image_files import svg
from augbench.analysis.figures.layers import layer_figure
from augbench.analysis.figures.policies import policy_figure
from augbench.analysis.figures.profiles import profile_figure
from augbench.analysis.figures.ranges import range_figure
from augbench.analysis.figures.ranks import rank_figure
from augbench.analysis.file_formats import DEFAULT_FORMATS, figure_files, table_files
from augbench.analysis.files import write
from augbench.analysis.html.history import History
from augbench.analysis.html.page import page
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.thinning import thinned
from augbench.analysis.tables.costs import phase_table
from augbench.analysis.tables.frame import LEAST_BUSY, Results, finished
from augbench.analysis.tables.layers import layer_table
from augbench.analysis.tables.learned_ranges import learned_ranges
from augbench.analysis.tables.policy_folds import policy_folds
from augbench.analysis.tables.profiles import profile_table
from augbench.analysis.tables.ranks import rank_table
from augbench.analysis.tables.run_tables import RunTables
from augbench.analysis.tables.scores import score_markdown
from augbench.analysis.text import file_stem, markdown
from augbench.bench.store.states import skip_lines
from augbench.datasets.errors import counted

PAGE = "report.html"


def write_report(
    results: Results,
    folder: Path,
    *,
    formats: Collection[str] = DEFAULT_FORMATS,
    include_shared: bool = False,
    history: History | None = None,
    tables: RunTables | None = None,
    command: Sequence[str] = ("augbench", "report", "RUN"),
    band: str = "quartiles",
) -> list[Path]:
    """Writes figures and tables into ``folder``, which is made if needed, and returns the files.

    ``report.html``, the page with all of it; ``TASK-FIGURE.png``, ``.svg`` and ``.csv`` (the table
    that is drawn) for every task and row of ``FIGURES``; ``TASK-ranges.*`` where layers have
    learned a transform of which the task knows the margin between the classes; ``TASK-layers.*``
    where layers have learned any, ``TASK-policies.*`` where trials end in policies; ``table.csv``,
    ``table.md``; ``points.csv``; ``learned.csv`` (the magnitudes of augmentation layers);
    ``policies.csv`` (the share of each transform in the policies); ``gains.csv`` and
    ``summary.csv`` (`gain_table`, `summary_scores`); ``TASK-profile.*`` once a run has ended,
    ``ranks.*`` where there are enough tasks, ``overall.csv`` and ``references.csv``
    (`profile_table`, `rank_table`, `overall_table`, `reference_table`). With ``tables``, also
    ``TASK-costs.*`` and a CSV of each of its tables that has rows. TASK is the ``file_stem`` of the
    task's label. A run that is unfinished, or has no point yet, gives the same files but for the
    profiles, and they say so. The same results give the same bytes. ``formats`` may name others
    than CSV, PNG and SVG (`file_formats.py`). ``include_shared`` keeps trials that shared a GPU in
    all figures and tables of hours. ``band`` is one of ``bands.BANDS``, what is drawn of the trials
    of a method. ``history`` and ``command`` are for the page alone.
    UserError: the folder cannot be written to.
    """
    report, pictures = _draw(
        results, history, tables, command, include_shared=include_shared, band=band
    )
    contents = {PAGE: page(report), "table.md": report_text(results, report.scores).encode()}
    for figure, picture in zip(report.figures, pictures, strict=True):
        contents |= figure_files(figure.stem, picture, formats, figure.svg)
        contents |= table_files(figure.stem, figure.table, formats)
    named = {
        "table": report.scores,
        "points": results.points,
        "learned": results.learned,
        "policies": results.policies,
        "gains": report.gains,
        "summary": report.summary,
        "overall": report.overall,
        "references": report.references,
        **report.tables.by_name(),
    }
    for name, table in named.items():
        contents |= table_files(name, table, formats)
    return [write(folder / name, content) for name, content in contents.items()]


def write_page(
    results: Results,
    file: Path,
    *,
    include_shared: bool = False,
    history: History | None = None,
    tables: RunTables | None = None,
    command: Sequence[str] = ("augbench", "report", "RUN"),
    band: str = "quartiles",
) -> Path:
    """Writes the page alone, as `write_report` does. UserError: it cannot be written."""
    report, _ = _draw(results, history, tables, command, include_shared=include_shared, band=band)
    return write(file, page(report))


def _draw(
    results: Results,
    history: History | None,
    tables: RunTables | None,
    command: Sequence[str],
    *,
    include_shared: bool,
    band: str,
) -> tuple[ReportData, tuple[Figure, ...]]:
    """What the page is made from, and its figures as matplotlib has them."""
    tables = tables or RunTables()
    drawn = list(_drawn(results, tables, include_shared=include_shared, band=band))
    figures, pictures = (tuple(each) for each in zip(*drawn, strict=True)) if drawn else ((), ())
    report = ReportData(
        results,
        history or History(),
        figures,
        tuple(command),
        include_shared=include_shared,
        tables=tables,
    )
    return report, pictures


def _drawn(
    results: Results, tables: RunTables, *, include_shared: bool, band: str
) -> Iterator[tuple[DrawnFigure, Figure]]:
    """Every figure of the run, as a table and an SVG, and as matplotlib has it."""
    for task in results.trials["task"].unique():
        for name, drawing in FIGURES.items():
            table = drawing.table(results, task, include_shared=include_shared, band=band)
            yield _figure(task, name, table, drawing.draw(thinned(table)))
        ranges = learned_ranges(results, task)
        if len(ranges):
            yield _figure(task, "ranges", ranges, range_figure(ranges, results))
        layers = layer_table(results, task)
        if len(layers):
            yield _figure(task, "layers", layers, layer_figure(layers))
        policies = policy_folds(tables.operations, results, task)
        if len(policies):
            yield _figure(task, "policies", policies, policy_figure(policies))
        if len(tables.costs) and (tables.costs["task"] == task).any():
            costs = phase_table(tables.costs, results, task)
            yield _figure(task, "costs", costs, cost_figure(costs, task))
    yield from _of_final_scores(results)


def _of_final_scores(results: Results) -> Iterator[tuple[DrawnFigure, Figure]]:
    """A profile of each task that has a run, and ranks over tasks where there are enough."""
    for task in results.trials["task"].unique():
        profile = profile_table(results, task)
        if len(profile):
            yield _figure(task, "profile", profile, profile_figure(profile))
    ranks = rank_table(results)
    if len(ranks):
        yield _figure("", "ranks", ranks, rank_figure(ranks), stem="ranks")


def _figure(
    task: str, name: str, table: pd.DataFrame, picture: Figure, stem: str | None = None
) -> tuple[DrawnFigure, Figure]:
    stem = f"{file_stem(task)}-{name}" if stem is None else stem
    drawn = DrawnFigure(task, name, stem, table, svg(picture))
    picture.set_layout_engine("none")  # it is laid out: the PNG need not do that again
    return drawn, picture


def report_text(results: Results, scores: pd.DataFrame) -> str:
    """The Markdown page: how far the run is, the table, which trials are not done or skipped."""
    done = finished(results.trials)
    parts = [f"# {markdown(results.suite)}\n", f"{progress(results)}\n"]
    parts += [f"{markdown(note)}\n" for note in results.notes]
    if len(scores):
        parts.append(score_markdown(scores))
    if n_contended := int(scores["contended"].sum()):
        parts.append(
            f"\\* Hours too long: {counted(n_contended, 'trial')} waited for a processor, which "
            f"they had for less than {LEAST_BUSY:.0%} of their time.\n"
        )
    parts += _renamed(results.trials["task"].unique())
    if not done.all():
        parts.append("Not done:\n")
        parts.append("".join(_missing(row) for row in results.trials[~done].to_dict("records")))
    if skipped := skip_lines(results.skipped.to_dict("records")):
        parts.append("".join(f"- {markdown(line)}\n" for line in skipped))
    return "\n".join(parts)


def _renamed(tasks: Iterable[str]) -> list[str]:
    """Which files belong to the tasks whose names cannot begin a file name."""
    stems = {task: file_stem(task) for task in tasks}
    return [
        f"Files of {markdown(task)}: {stem}-\\*\n" for task, stem in stems.items() if task != stem
    ]


def progress(results: Results) -> str:
    """One sentence: how many trials are done, how many points are scored."""
    trials, points = results.trials, results.points
    done = f"{finished(trials).sum()} of {len(trials)} trials done"
    if points.empty:
        return f"No point has been scored yet ({done})."
    lost = trials["wasted_seconds"].sum()
    wasted = f", {lost:.0f} s wasted and charged to no method" if lost else ""
    return f"{done}, {len(points)} of {trials['points_known'].sum()} points scored{wasted}."


def _missing(trial: dict[Hashable, Any]) -> str:
    reason = f" ({trial['reason']})" if trial["reason"] else ""
    name = f"{trial['task']} {trial['method']} fold {trial['fold']} seed {trial['seed']}"
    scored = f"{trial['points_scored']} of {trial['points_known']} points scored"
    line = f"{name}: {trial['state']}{reason}, {scored}"
    return f"- {markdown(line)}\n"

"""Runs the suites of a figure, and writes the figure and what it says into a folder."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from augbench.analysis.figures.image_files import png, svg
from augbench.analysis.files import write
from augbench.analysis.paper import FIGURES, Scale
from augbench.analysis.paper.claims import ABOUT, Origin, claim_markdown, claim_table
from augbench.analysis.paper.paper_figure import PaperFigure, Run
from augbench.analysis.tables.frame import finished, load
from augbench.analysis.text import csv, markdown
from augbench.bench.driver.run import run_suite
from augbench.bench.driver.run_options import RunOptions
from augbench.bench.plan.suite import find_suite, load_suite
from augbench.bench.store.files import read_records
from augbench.bench.store.open_run import open_run
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.terminal import print_line
from augbench.datasets.errors import UserError, counted, unknown
from augbench.datasets.options.row import resolve

_EVENT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True)
class Request:
    """What to reproduce, and how."""

    figures: tuple[str, ...]
    scale: Scale
    options: RunOptions  # ``out`` is the folder of the figures and of their run directories
    overrides: tuple[str, ...] = ()  # of every suite
    task: str | None = None  # another task for figure 8
    draw_only: bool = False


def figure_names(name: str, task: str | None = None) -> tuple[str, ...]:
    """The figures that a word names: one, or all.

    UserError: it names none, or another task is asked for than that of a figure that has but one.
    """
    if name not in (*FIGURES, "all"):
        raise unknown("figure", name, [*FIGURES, "all"])
    if task is not None and name != "fig8":
        raise UserError(f"--task is for fig8, given {name}: leave out --task")
    return tuple(FIGURES) if name == "all" else (name,)


def reproduce_figures(request: Request, console: Console) -> bool:
    """Run or resume all suites once, then draw all figures; True when nothing is missing.

    Writes for each figure ``NAME.png``, ``.svg``, ``.csv`` (what is drawn) and ``NAME-claims.csv``
    and ``.md`` (what the paper said, what we got). Of a run that is unfinished the figure is drawn
    as far as it is. Of several figures, one that cannot be had (its data are missing, say) is named
    and the others are drawn; a UserError if it is the only one.
    """
    figures = {name: _figure(name) for name in request.figures}
    suites = dict.fromkeys(each for row in figures.values() for each in _suites(row, request))
    complete, refused = True, set()
    for suite in () if request.draw_only else suites:
        with _named(suite, len(figures), console) as outcome:
            outcome.good = _run(suite, request, console)
        complete &= outcome.good
        refused |= {suite} if outcome.refused else set()
    for name, figure in figures.items():
        if refused & set(_suites(figure, request)):
            continue
        with _named(name, len(figures), console) as outcome:
            for file in write_figure(name, figure, request):
                print_line(console, file)
            outcome.good = True
        complete &= outcome.good
    return complete


@dataclass
class _Outcome:
    """What became of a suite or a figure."""

    good: bool = False
    refused: bool = False  # it ended in a UserError, which is printed


@contextmanager
def _named(name: str, n_figures: int, console: Console) -> Iterator[_Outcome]:
    """One of several figures does not stop the others: its error is printed with its name."""
    outcome = _Outcome()
    try:
        yield outcome
    except UserError as error:
        if n_figures == 1:
            raise
        outcome.refused = True
        print_line(console, f"{name}: {error}")


def _figure(name: str) -> PaperFigure:
    figure: object = resolve(FIGURES[name])
    assert isinstance(figure, PaperFigure)
    return figure


def _suites(figure: PaperFigure, request: Request) -> tuple[str, ...]:
    """What a figure is drawn from: of the task that is asked for, if it has suites for that one."""
    return figure.of_tasks.get(request.task or "", figure.suites)[request.scale]


def _run(suite: str, request: Request, console: Console) -> bool:
    task = _other_task(suite, request)  # as it is by default, without the suite's options
    chosen = [] if task is None else [f"tasks={{ {task} = {{}} }}"]
    read = load_suite(find_suite(Path(suite)), [*chosen, *request.overrides])
    options = replace(request.options, out=_directory(suite, request))
    print_line(console, f"{suite}: {counted(len(read.plan), 'trial')} into {options.out}")
    return run_suite(read, options, console)


def _other_task(suite: str, request: Request) -> str | None:
    """The task that is asked for in the place of the suite's own; None if it is the suite's own."""
    own = load_suite(find_suite(Path(suite))).resolved["tasks"]
    return None if list(own) == [request.task] else request.task


def _directory(suite: str, request: Request) -> Path:
    """Where a suite runs: another task has a directory of its own."""
    task = _other_task(suite, request)
    return request.options.out / (suite if task is None else f"{suite}-{task}")


def write_figure(name: str, figure: PaperFigure, request: Request) -> list[Path]:
    """Draw a figure from its run directories, and judge what the paper says; the files.

    Raises a UserError if a run directory is missing, or the folder cannot be written to.
    """
    runs = [
        Run(_directory(suite, request), request.options.data) for suite in _suites(figure, request)
    ]
    table = figure.table(runs)
    claims = claim_table(figure.claims(table), origin(name, request, runs))
    rows = claims.to_dict("records")
    drawn = figure.draw(table)
    stem = name if request.task is None else f"{name}-{request.task}"
    heading = f"# {name}: {markdown(figure.shows)}\n\n"
    contents = {
        f"{stem}.png": png(drawn),
        f"{stem}.svg": svg(drawn),
        f"{stem}.csv": csv(table),
        f"{stem}-claims.csv": csv(claims),
        f"{stem}-claims.md": f"{heading}{claim_markdown(rows)}\n{ABOUT}".encode(),
    }
    return [write(request.options.out / file, content) for file, content in contents.items()]


def origin(figure: str, request: Request, runs: Sequence[Run]) -> Origin:
    """When, on what and by which code runs were begun, and how far they are, all together."""
    starts = [_first_start(open_run(run.path)[0]) for run in runs]
    results = [load(run.path) for run in runs]
    devices = {str(each) for result in results for each in result.points["device"].unique()}
    n_done = sum(int(finished(result.trials).sum()) for result in results)
    return Origin(
        figure,
        request.task or "",
        request.scale,
        " + ".join(sorted(devices)),
        " + ".join(dict.fromkeys(date for date, _ in starts)),
        " + ".join(dict.fromkeys(commit for _, commit in starts)),
        f"{n_done} of {sum(len(result.trials) for result in results)}",
    )


def _first_start(run: RunDirectory) -> tuple[str, str]:
    """The day on which a run was begun, in UTC, and the commit that began it."""
    for _, event in read_records(run.events_file, _EVENT):
        if event.get("event") == "created":
            day = time.strftime("%Y-%m-%d", time.gmtime(event["time"]))
            return day, str(event.get("commit") or "unknown")
    return "unknown", "unknown"

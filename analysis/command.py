"""The command that writes the report; bench finds it as an entry point."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from augbench.analysis.load_matplotlib import import_matplotlib

PAGE_SUFFIX = ".html"


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Run directories, shown as one run; or that of a search.", metavar="RUN..."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The folder to write to; by default RUN/report. A name that ends in .html gets "
            "the page alone.",
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="Of the tables: csv, parquet, latex; of the figures: png, svg, pdf. Repeatable. "
            "By default csv, png and svg.",
        ),
    ] = None,
    include_shared: Annotated[
        bool, typer.Option("--include-shared", help="Keep the hours of GPUs that trials shared.")
    ] = False,
    charge_search: Annotated[
        bool,
        typer.Option(
            "--charge-search", help="Add the costs of the searches that chose a method's options."
        ),
    ] = False,
    impute_failed: Annotated[
        bool,
        typer.Option(
            "--impute-failed",
            help="Over tasks, count a failed run as one at chance level, with a mark.",
        ),
    ] = False,
) -> None:
    """Write the report of runs or of a search, finished or not: a page, figures and tables.

    The page report.html holds all of it and opens offline; the other files are for papers.

    \b
    augbench report runs/quickstart
    augbench report runs/quickstart -o quickstart.html
    augbench report runs/quickstart --format pdf --format latex
    augbench report runs/folds-a runs/folds-b -o both.html
    """
    import_matplotlib()
    # This imports pandas and matplotlib, for which other commands need not wait.
    from augbench.analysis.file_formats import DEFAULT_FORMATS, check_formats
    from augbench.bench.search.search import holds_search
    from augbench.datasets.errors import UserError

    check_formats(formats or ())
    first = runs[0]
    if len(runs) > 1:
        searches = [run for run in runs if holds_search(run)]
        if searches:
            raise UserError(f"{searches[0]} is a search: give it alone, without other runs")
        if out is None:
            raise UserError("several runs have no folder in common: choose one with -o")
    target = out or first / "report"
    if target.suffix == PAGE_SUFFIX and formats:
        raise UserError(
            f"--format is for the files beside the page, and {target} is the page alone: give a "
            "folder with -o, or no --format"
        )
    if holds_search(first):
        if formats:
            raise UserError(f"{first} is a search, of which --format writes nothing: leave it out")
        _report_search(first, target)
        return
    words = ["augbench", "report", *map(str, runs)]
    flags = {
        "--include-shared": include_shared,
        "--charge-search": charge_search,
        "--impute-failed": impute_failed,
    }
    words += [flag for flag, given in flags.items() if given]
    words += [word for name in formats or () for word in ("--format", name)]
    write = partial(
        _report_run,
        out=target,
        formats=tuple(formats or DEFAULT_FORMATS),
        words=words,
        include_shared=include_shared,
        charge_search=charge_search,
        impute=impute_failed,
    )
    if len(runs) == 1:
        write(first)
        return
    from augbench.bench.merge.view import view_of

    with view_of(runs) as view:
        write(view.path, notes=view.notes)


def _report_search(run: Path, folder: Path) -> None:
    from augbench.analysis.search_report import write_search_report
    from augbench.datasets.errors import UserError

    if folder.suffix == PAGE_SUFFIX:
        raise UserError(
            f"{run} is a search, which has no page; give a folder with -o, not {folder}"
        )
    for file in write_search_report(run, folder):
        print(file)


def _report_run(
    run: Path,
    *,
    out: Path,
    formats: Sequence[str],
    words: Sequence[str],
    include_shared: bool,
    charge_search: bool,
    impute: bool,
    notes: Sequence[str] = (),
) -> None:
    """Writes the page alone or all files, says where the page is, and how the run stands."""
    from augbench.analysis.html.history import read_history
    from augbench.analysis.html.report_data import ReportData
    from augbench.analysis.html.summary import sentences
    from augbench.analysis.report import write_page, write_report
    from augbench.analysis.tables.frame import load
    from augbench.analysis.tables.imputed import impute_failed
    from augbench.analysis.tables.run_tables import load_run_tables
    from augbench.analysis.tables.searches import charge_searches

    results, history, tables = load(run), read_history(run), load_run_tables(run)
    if charge_search:
        results = charge_searches(results, run)
    if impute:
        results = impute_failed(results)
    results = replace(results, notes=(*results.notes, *(f"{note}." for note in notes)))
    page_alone = out.suffix == PAGE_SUFFIX
    write = write_page if page_alone else partial(write_report, formats=formats)
    written = write(
        results, out, include_shared=include_shared, history=history, tables=tables, command=words
    )
    print(written if isinstance(written, Path) else written[0])
    for sentence in sentences(ReportData(results, history, include_shared=include_shared)):
        print(f"- {sentence}")
    damages = results.trials.loc[results.trials["state"] == "damaged", "reason"]
    if len(damages):
        print("\n".join(damages), file=sys.stderr)
        raise typer.Exit(1)

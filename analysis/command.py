"""The command that writes the report; bench finds it as an entry point."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

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
    band: Annotated[
        str,
        typer.Option(
            "--band",
            help="What curves show of the trials of a method: quartiles, with the median; or iqm, "
            "the interquartile mean with its bootstrap interval.",
        ),
    ] = "quartiles",
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
    from augbench.analysis.file_formats import DEFAULT_FORMATS
    from augbench.bench.search.search import holds_search

    target = out or runs[0] / "report"
    wishes = _Wishes(
        formats=tuple(formats or DEFAULT_FORMATS),
        include_shared=include_shared,
        band=band,
        charge_search=charge_search,
        impute_failed=impute_failed,
    )
    _check(runs, out, formats or (), band, wishes.words())
    if holds_search(runs[0]):
        _report_search(runs[0], target)
        return
    words = ["augbench", "report", *map(str, runs), *wishes.words()]
    if len(runs) == 1:
        _report_run(runs[0], target, wishes, words)
        return
    from augbench.bench.merge.view import view_of

    with view_of(runs) as view:
        _report_run(view.path, target, wishes, words, view.notes)


class _Wishes(NamedTuple):
    """What the options ask for."""

    formats: tuple[str, ...]
    include_shared: bool
    band: str
    charge_search: bool
    impute_failed: bool

    def words(self) -> list[str]:
        """The options that change the page, as they are on a command line."""
        words = ["--include-shared"] * self.include_shared
        words += ["--charge-search"] * self.charge_search
        words += ["--impute-failed"] * self.impute_failed
        return words + ["--band", self.band] * (self.band != "quartiles")


def _check(
    runs: Sequence[Path],
    out: Path | None,
    formats: Sequence[str],
    band: str,
    flags: list[str],
) -> None:
    """Raise a UserError for what does not go together, before anything is read."""
    from augbench.analysis.file_formats import check_formats
    from augbench.analysis.tables.bands import BANDS
    from augbench.bench.search.search import holds_search
    from augbench.datasets.errors import UserError, unknown

    check_formats(formats)
    if band not in BANDS:
        raise unknown("band", band, BANDS)
    search = next(filter(holds_search, runs), None)
    if len(runs) > 1 and search is not None:
        raise UserError(f"{search} is a search: give it alone, without other runs")
    if len(runs) > 1 and out is None:
        raise UserError("several runs have no folder in common: choose one with -o")
    if search is not None and (formats or flags):
        words = ", ".join(["--format"] * bool(formats) + flags)
        raise UserError(
            f"{search} is a search, whose report is not changed by {words}: leave it out"
        )
    if out is not None and out.suffix == PAGE_SUFFIX and formats:
        raise UserError(
            f"--format is for the files beside the page, and {out} is the page alone: give a "
            "folder with -o, or no --format"
        )


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
    run: Path, out: Path, wishes: _Wishes, words: Sequence[str], notes: Sequence[str] = ()
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
    if wishes.charge_search:
        results = charge_searches(results, run)
    if wishes.impute_failed:
        results = impute_failed(results)
    results = replace(results, notes=(*results.notes, *(f"{note}." for note in notes)))
    page_alone = out.suffix == PAGE_SUFFIX
    write = write_page if page_alone else partial(write_report, formats=wishes.formats)
    written = write(
        results,
        out,
        include_shared=wishes.include_shared,
        history=history,
        tables=tables,
        command=words,
        band=wishes.band,
    )
    print(written if isinstance(written, Path) else written[0])
    for sentence in sentences(ReportData(results, history, include_shared=wishes.include_shared)):
        print(f"- {sentence}")
    damages = results.trials.loc[results.trials["state"] == "damaged", "reason"]
    if len(damages):
        print("\n".join(damages), file=sys.stderr)
        raise typer.Exit(1)

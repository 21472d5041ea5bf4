"""The command that writes the report; bench finds it as an entry point."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from augbench.analysis.load_matplotlib import import_matplotlib

PAGE_SUFFIX = ".html"


def report(
    run: Annotated[Path, typer.Argument(help="A run directory, or that of a search.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="The folder to write to; by default RUN/report. A name that ends in .html gets "
            "the page alone.",
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
) -> None:
    """Write the report of a run or of a search, finished or not: a page, figures and tables.

    The page report.html holds all of it and opens offline; the other files are for papers.

    \b
    augbench report runs/quickstart
    augbench report runs/quickstart -o quickstart.html
    """
    import_matplotlib()
    # This imports pandas and matplotlib, for which other commands need not wait.
    from augbench.bench.search.search import holds_search

    if holds_search(run):
        _report_search(run, out or run / "report")
        return
    _report_run(run, out or run / "report", include_shared, charge_search, band)


def _report_search(run: Path, folder: Path) -> None:
    from augbench.analysis.search_report import write_search_report
    from augbench.datasets.errors import UserError

    if folder.suffix == PAGE_SUFFIX:
        raise UserError(
            f"{run} is a search, which has no page; give a folder with -o, not {folder}"
        )
    for file in write_search_report(run, folder):
        print(file)


def _report_run(run: Path, out: Path, include_shared: bool, charge_search: bool, band: str) -> None:
    """Writes the page alone or all files, says where the page is, and how the run stands."""
    from augbench.analysis.html.history import read_history
    from augbench.analysis.html.report_data import ReportData
    from augbench.analysis.html.summary import sentences
    from augbench.analysis.report import write_page, write_report
    from augbench.analysis.tables.bands import BANDS
    from augbench.analysis.tables.frame import load
    from augbench.analysis.tables.run_tables import load_run_tables
    from augbench.analysis.tables.searches import charge_searches
    from augbench.datasets.errors import unknown

    if band not in BANDS:
        raise unknown("band", band, BANDS)
    results, history, tables = load(run), read_history(run), load_run_tables(run)
    flags = {"--include-shared": include_shared, "--charge-search": charge_search}
    if charge_search:
        results = charge_searches(results, run)
    words = ("augbench", "report", str(run), *(flag for flag, given in flags.items() if given))
    words += ("--band", band) if band != "quartiles" else ()
    write = write_page if out.suffix == PAGE_SUFFIX else write_report
    written = write(
        results,
        out,
        include_shared=include_shared,
        history=history,
        tables=tables,
        command=words,
        band=band,
    )
    print(written if isinstance(written, Path) else written[0])
    for sentence in sentences(ReportData(results, history, include_shared=include_shared)):
        print(f"- {sentence}")
    damages = results.trials.loc[results.trials["state"] == "damaged", "reason"]
    if len(damages):
        print("\n".join(damages), file=sys.stderr)
        raise typer.Exit(1)

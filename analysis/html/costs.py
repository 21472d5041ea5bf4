"""Where the time goes: a picture of stacked bars for each task, and the table behind it."""

import pandas as pd
from markupsafe import Markup

from augbench.analysis.html.curves import picture
from augbench.analysis.html.elements import Cell, Section, details, join, paragraph, table
from augbench.analysis.html.report_data import DrawnFigure, ReportData
from augbench.analysis.html.swatches import named
from augbench.bench.store.costs import ENERGY


def costs_section(report: ReportData) -> Section | None:
    """For each task the mean costs of a trial of each method, phase by phase."""
    figures = [figure for figure in report.figures if figure.name == "costs"]
    if not figures:
        return None
    parts = [_task(report, figure) for figure in figures]
    return Section("costs", "Costs", join([*parts, *_energy(report)]))


def _task(report: ReportData, figure: DrawnFigure) -> Markup:
    header = ["method", "phase", "charged", "seconds", "busy", "thousand forward", "trials"]
    rows = [
        [
            Cell(named(row["method"], report.styles[row["method"]])),
            Cell(row["label"]),
            Cell("yes" if row["charged"] else "no"),
            _number(row["seconds"], "{:.1f}"),
            _number(row["busy"], "{:.0%}"),
            _number(row["forward"] / 1000, "{:.1f}"),
            Cell(str(row["n"]), row["n"]),
        ]
        for row in figure.table.to_dict("records")
        if row["seconds"] > 0
    ]
    caption = f"{figure.task}: means over the finished trials of a method"
    inside = table(caption, header, rows, words=3, sortable=True)
    words = f"{figure.task}: what a trial costs; the same numbers as in {figure.stem}.csv"
    return join(
        [picture(figure, words), details(f"{figure.task}: the numbers of the bars", inside)]
    )


def _energy(report: ReportData) -> list[Markup]:
    """Kilojoules of a trial of each method, where a machine tells them."""
    energy = report.tables.energy
    if energy.empty:
        return []
    means = energy.groupby(["task", "method"])[list(ENERGY)].mean()
    counts = energy.groupby(["task", "method"]).size()
    rows = [
        [
            Cell(task),
            Cell(named(method, report.styles[method])),
            *(_number(joules / 1000, "{:.2f}") for joules in row),
            Cell(str(count), count),
        ]
        for (task, method), row, count in zip(means.index, means.to_numpy(), counts, strict=True)
    ]
    header = ["task", "method", *(f"{part}, kJ" for part in ENERGY), "trials"]
    note = (
        "The energy is what the whole machine used while a trial and its retrainings ran, by its "
        "own counters (RAPL, NVML): what ran beside them is in it. energy.csv has each trial."
    )
    caption = "Mean energy of a trial of each method"
    return [table(caption, header, rows, words=2, sortable=True), paragraph(note)]


def _number(value: float, form: str) -> Cell:
    return Cell("-") if pd.isna(value) else Cell(form.format(value), float(value))

"""The table of scores, to sort and to filter."""

from typing import Any

import numpy as np
import pandas as pd

from augbench.analysis.html.elements import Cell, Section, bullets, join, paragraph, table
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.tables.frame import LEAST_BUSY
from augbench.analysis.tables.scores import HEADER, SEARCHED, score_rows

# The number in a ``score_table`` by which a column of ``score_rows`` is sorted.
ORDER = {
    "test [quartiles]": "test",
    "valid": "valid",
    "gain over none": "gain_none",
    "gain over random_policy": "gain_random_policy",
    "device time, paper / full": "hours_full",
    "samples forward, paper / full": "forward_full",
    "samples backward, paper / full": "backward_full",
    SEARCHED: "hours_search",
    "trials done": "done",
}
assert set(ORDER) == {*HEADER[2:], SEARCHED}


def scores_section(report: ReportData) -> Section | None:
    """A row for each task and method, what the columns say, and notes of the run."""
    scores = report.scores
    if scores["test"].isna().all():
        return None
    header, *rows = score_rows(scores)
    cells = [
        _row(report, header, row, numbers)
        for row, numbers in zip(rows, scores.to_dict("records"), strict=True)
    ]
    caption = "Medians over the trials of a method, at the best validation"
    if scores["task"].nunique() == 1:  # its name says nothing more, and the table is wide
        caption = f"{scores['task'].iloc[0]}: m{caption[1:]}"
        header, cells = header[1:], [row[1:] for row in cells]
    words = header.index("method") + 1
    parts = [table(caption, header, cells, words=words, sortable=True), paragraph(_legend(scores))]
    return Section("scores", "Scores", join([*parts, bullets(report.results.notes)]))


def _row(
    report: ReportData, header: list[str], row: list[str], numbers: dict[Any, Any]
) -> list[Cell]:
    task, method, *values = row
    orders = [float(numbers[ORDER[name]]) for name in header[2:]]
    return [
        Cell(task),
        Cell(named(method, report.styles[method])),
        *(
            Cell(value, None if np.isnan(order) else order)
            for value, order in zip(values, orders, strict=True)
        ),
    ]


def _legend(scores: pd.DataFrame) -> str:
    text = (
        "A gain is the median difference between trials of equal fold and seed. Columns of two "
        "numbers are sorted by the full reading. table.csv has all numbers."
    )
    if scores["contended"].any():
        share = f"{LEAST_BUSY:.0%}"
        text += f" * Hours too long: trials had a processor for less than {share} of their time."
    return text

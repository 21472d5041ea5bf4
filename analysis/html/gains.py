"""Gains over the references with intervals and tests, and scores over folds."""

from typing import Any

import pandas as pd

from augbench.analysis.html.elements import Cell, Section, heading, join, paragraph, table
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.statistics.result import p_text

GAINS = (
    "A gain is the mean difference in the test metric over folds. Its interval and p are those of "
    "a t-test that is corrected for folds that share training examples (Nadeau and Bengio 2003); "
    "p after Holm's method is corrected for all methods that are held against one reference."
)
SUMMARY = (
    "Interquartile means with their bootstrap intervals over folds. The area is that under the "
    "curve of a run along device hours, over the longest run: 1 would be a perfect score from the "
    "start. The target is the validation metric that the best reference ends with."
)


def gains_section(report: ReportData) -> Section | None:
    """Both tables; nothing if no trial has ended."""
    gains, scores = report.gains, report.summary
    if not scores["n"].any():
        return None
    parts = [heading("Over folds"), _summary(report, scores), paragraph(SUMMARY)]
    if len(gains):
        parts += [heading("Gains over the references"), _gains(report, gains), paragraph(GAINS)]
    return Section("tests", "Tests", join(parts))


def _summary(report: ReportData, scores: pd.DataFrame) -> Any:
    header = [
        "task",
        "method",
        "interquartile mean [95 %]",
        "area [95 %]",
        "reached the target",
        "n",
    ]
    rows = [
        [
            Cell(row["task"]),
            Cell(named(row["method"], report.styles[row["method"]])),
            _interval(row["iqm"], row["low"], row["high"], row["why"]),
            _area(row["area"], row["area_low"], row["area_high"]),
            Cell(f"{row['reached']} of {row['timed']}", row["reached"]),
            Cell(f"{row['n']} of {row['planned']}", row["n"]),
        ]
        for row in scores.to_dict("records")
    ]
    return table("Scores over folds and seeds", header, rows, words=2, sortable=True)


def _gains(report: ReportData, gains: pd.DataFrame) -> Any:
    header = ["task", "method", "over", "mean gain [95 %]", "p", "p after Holm", "folds"]
    rows = [
        [
            Cell(row["task"]),
            Cell(named(row["method"], report.styles[row["method"]])),
            Cell(row["reference"]),
            _interval(row["gain"], row["low"], row["high"], row["why"], signed=True),
            _p(row["p"]),
            _p(row["p_holm"]),
            Cell(f"{row['folds']} of {row['planned']}", row["folds"]),
        ]
        for row in gains.to_dict("records")
    ]
    return table("Gains in the test metric", header, rows, words=3, sortable=True)


def _interval(value: float, low: float, high: float, why: str, *, signed: bool = False) -> Cell:
    """A number with its interval, or why there is none."""
    sign = "+" if signed else ""
    if pd.isna(value):
        return Cell(why or "-")
    inside = why if pd.isna(low) else f"{low:{sign}.3f}, {high:{sign}.3f}"
    return Cell(f"{value:{sign}.3f} [{inside}]", float(value))


def _area(value: float, low: float, high: float) -> Cell:
    """An area, with its interval where there is one."""
    if pd.isna(value):
        return Cell("-")
    interval = "" if pd.isna(low) else f" [{low:.3f}, {high:.3f}]"
    return Cell(f"{value:.3f}{interval}", float(value))


def _p(value: float) -> Cell:
    return (
        Cell("-")
        if pd.isna(value)
        else Cell(p_text(value).removeprefix("p ").removeprefix("= "), value)
    )

"""Other metrics and the recall of each class, from the predictions of the best models."""

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from augbench.analysis.html.elements import Cell, Section, details, heading, join, paragraph, table
from augbench.analysis.html.report_data import ReportData
from augbench.analysis.html.swatches import named
from augbench.analysis.tables.class_scores import METRICS

WORDS = {"kappa": "Cohen's kappa", "macro_f1": "macro F1", "auroc": "AUROC"}
MOST_CLASSES = 20  # that have a column each; all are in classes.csv


def classes_section(report: ReportData) -> Section | None:
    """Medians over trials of all metrics, of the recall of each class and by group, by task."""
    metrics, classes = report.tables.metrics, report.tables.classes
    if metrics.empty:
        return None
    parts = []
    for task, rows in metrics.groupby("task"):
        parts += [heading(str(task)), _metrics(report, str(task), rows)]
        of_task = classes[classes["task"] == task]
        if of_task["class"].nunique() <= MOST_CLASSES:
            parts.append(_recalls(report, str(task), of_task))
        parts += _groups(report, str(task))
    parts.append(
        paragraph(
            "Medians over the finished trials of a method, of the model that is best in "
            "validation. metrics.csv, classes.csv, confusions.csv and groups.csv have each trial."
        )
    )
    return Section("classes", "Metrics and classes", join(parts))


def _metrics(report: ReportData, task: str, rows: pd.DataFrame) -> Markup:
    medians = rows.groupby("method")[list(METRICS)].median()
    header = ["method", *(WORDS.get(name, name.replace("_", " ")) for name in METRICS)]
    return table(
        f"{task}: metrics of the test split", header, _rows(report, medians), sortable=True
    )


def _recalls(report: ReportData, task: str, rows: pd.DataFrame) -> Markup:
    medians = rows.groupby(["method", "class"], sort=False)["recall"].median().unstack(sort=False)
    header = ["method", *map(str, medians.columns)]
    return table(f"{task}: recall of each class", header, _rows(report, medians), sortable=True)


def _groups(report: ReportData, task: str) -> list[Markup]:
    """The metric of the task for each group, such as a subject: groups down, methods across."""
    groups = report.tables.groups
    if groups.empty or task not in set(groups["task"]):
        return []
    rows = groups[groups["task"] == task]
    points = report.results.points
    metric = str(points.loc[points["task"] == task, "metric"].iloc[0])
    medians = rows.groupby(["group", "method"])[metric].median().unstack()
    methods = sorted(map(str, medians), key=lambda label: report.styles[label].order)
    sizes = rows.groupby("group")["n"].max()  # in the order of the medians
    cells = [
        [Cell(str(group)), Cell(str(size), size), *map(_number, scores)]
        for group, size, scores in zip(
            medians.index, sizes, medians[methods].to_numpy(), strict=True
        )
    ]
    header = ["group", "examples", *(named(label, report.styles[label]) for label in methods)]
    words = metric.replace("_", " ")
    title = f"{task}: {words} of each group (such as a subject) while it is tested"
    body = table(title, header, cells, sortable=True)
    return [details(f"{words.capitalize()} of each group, such as a subject", body)]


def _rows(report: ReportData, medians: pd.DataFrame) -> list[list[Cell]]:
    methods = sorted(medians.index, key=lambda label: report.styles[label].order)
    return [
        [Cell(named(label, report.styles[label])), *map(_number, medians.loc[label])]
        for label in methods
    ]


def _number(value: Any) -> Cell:
    return Cell("-") if np.isnan(value) else Cell(f"{value:.3f}", float(value))

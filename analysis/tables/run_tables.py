"""What a report takes from the run directory itself: costs, scores of classes, best policies."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from augbench.analysis.tables.best_policies import best_policies, operation_table, subpolicy_table
from augbench.analysis.tables.class_scores import (
    class_table,
    confusion_table,
    group_table,
    kept_predictions,
    metric_table,
)
from augbench.analysis.tables.costs import cost_table, energy_table


@dataclass(frozen=True)
class RunTables:
    """Tables of finished trials, named after the functions that make them; by default empty."""

    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    energy: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    classes: pd.DataFrame = field(default_factory=pd.DataFrame)
    confusions: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    operations: pd.DataFrame = field(default_factory=pd.DataFrame)
    subpolicies: pd.DataFrame = field(default_factory=pd.DataFrame)

    def by_name(self) -> dict[str, pd.DataFrame]:
        """Those that have rows, by their names."""
        return {name: table for name, table in vars(self).items() if len(table)}


def load_run_tables(run: Path) -> RunTables:
    """The tables of a run directory.

    UserError: it is not a run directory, or another version of augbench wrote it.
    """
    # The predictions of one trial at a time: all together may be gigabytes.
    scores = [
        (metric_table([kept]), class_table([kept]), confusion_table([kept]), group_table([kept]))
        for kept in kept_predictions(run)
    ]
    metrics, classes, confusions, groups = (
        [pd.concat(parts, ignore_index=True) for parts in zip(*scores, strict=True)]
        if scores
        else [metric_table([]), class_table([]), confusion_table([]), group_table([])]
    )
    policies = best_policies(run)
    return RunTables(
        cost_table(run),
        energy_table(run),
        metrics,
        classes,
        confusions,
        groups,
        operation_table(policies),
        subpolicy_table(policies),
    )

"""What a report takes from the run directory itself: costs, scores of classes, best policies."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from augbench.analysis.best_policies import best_policies, operation_table, subpolicy_table
from augbench.analysis.class_scores import (
    class_table,
    confusion_table,
    kept_predictions,
    metric_table,
)
from augbench.analysis.costs import cost_table


@dataclass(frozen=True)
class Details:
    """Tables of finished trials, named after the functions that make them; by default empty."""

    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=pd.DataFrame)
    classes: pd.DataFrame = field(default_factory=pd.DataFrame)
    confusions: pd.DataFrame = field(default_factory=pd.DataFrame)
    operations: pd.DataFrame = field(default_factory=pd.DataFrame)
    subpolicies: pd.DataFrame = field(default_factory=pd.DataFrame)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Those that have rows, by their names."""
        return {name: table for name, table in vars(self).items() if len(table)}


def load_details(run: Path) -> Details:
    """The tables of a run directory.

    UserError: it is not a run directory, or another version of augbench wrote it.
    """
    kept, policies = kept_predictions(run), best_policies(run)
    return Details(
        cost_table(run),
        metric_table(kept),
        class_table(kept),
        confusion_table(kept),
        operation_table(policies),
        subpolicy_table(policies),
    )

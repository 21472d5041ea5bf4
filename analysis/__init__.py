"""Reads run directories and draws; runs nothing and needs no Ray."""

from typing import TYPE_CHECKING

from augbench.datasets.lazy import lazy_names

if TYPE_CHECKING:  # for editors and type checkers, which do not run `lazy_names`
    from augbench.analysis.figures.accuracy import accuracy_figure
    from augbench.analysis.figures.costs import cost_figure
    from augbench.analysis.report import write_report
    from augbench.analysis.styles import method_styles
    from augbench.analysis.tables.agreement import agreement_table
    from augbench.analysis.tables.best_policies import (
        best_policies,
        operation_table,
        subpolicy_table,
    )
    from augbench.analysis.tables.class_scores import (
        class_table,
        confusion_table,
        kept_predictions,
        metric_table,
    )
    from augbench.analysis.tables.costs import cost_table, phase_table
    from augbench.analysis.tables.frame import Results, load, read_results, results
    from augbench.analysis.tables.gains import gain_table
    from augbench.analysis.tables.rest import rest_table
    from augbench.analysis.tables.scores import final_scores, score_markdown, score_table
    from augbench.analysis.tables.searches import charge_searches
    from augbench.analysis.tables.summary import summary_scores

# The public names of the library, and the file of each.
FILES = {
    "Results": "tables.frame",
    "agreement_table": "tables.agreement",
    "rest_table": "tables.rest",
    "accuracy_figure": "figures.accuracy",
    "best_policies": "tables.best_policies",
    "charge_searches": "tables.searches",
    "class_table": "tables.class_scores",
    "gain_table": "tables.gains",
    "confusion_table": "tables.class_scores",
    "cost_figure": "figures.costs",
    "cost_table": "tables.costs",
    "final_scores": "tables.scores",
    "kept_predictions": "tables.class_scores",
    "load": "tables.frame",
    "method_styles": "styles",
    "metric_table": "tables.class_scores",
    "operation_table": "tables.best_policies",
    "phase_table": "tables.costs",
    "read_results": "tables.frame",
    "results": "tables.frame",
    "score_markdown": "tables.scores",
    "score_table": "tables.scores",
    "subpolicy_table": "tables.best_policies",
    "summary_scores": "tables.summary",
    "write_report": "report",
}
__getattr__ = lazy_names(__name__, FILES)
__all__ = [*FILES]

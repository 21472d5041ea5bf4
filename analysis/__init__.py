"""Reads run directories and draws; runs nothing and needs no Ray."""

from typing import TYPE_CHECKING

from augbench.datasets.lazy import lazy_names

if TYPE_CHECKING:  # for editors and type checkers, which do not run `lazy_names`
    from augbench.analysis.agreement import agreement_table
    from augbench.analysis.best_policies import best_policies, operation_table, subpolicy_table
    from augbench.analysis.class_scores import (
        class_table,
        confusion_table,
        kept_predictions,
        metric_table,
    )
    from augbench.analysis.costs import cost_figure, cost_table, phase_table
    from augbench.analysis.figures import accuracy_figure
    from augbench.analysis.frame import Results, load, results
    from augbench.analysis.gains import gain_table
    from augbench.analysis.report import write_report
    from augbench.analysis.rest import rest_table
    from augbench.analysis.scores import final_scores, score_markdown, score_table
    from augbench.analysis.searches import charge_searches
    from augbench.analysis.styles import method_styles
    from augbench.analysis.summary import summary_scores

# The public names of the library, and the file of each.
FILES = {
    "Results": "frame",
    "agreement_table": "agreement",
    "rest_table": "rest",
    "accuracy_figure": "figures",
    "best_policies": "best_policies",
    "charge_searches": "searches",
    "class_table": "class_scores",
    "gain_table": "gains",
    "confusion_table": "class_scores",
    "cost_figure": "costs",
    "cost_table": "costs",
    "final_scores": "scores",
    "kept_predictions": "class_scores",
    "load": "frame",
    "method_styles": "styles",
    "metric_table": "class_scores",
    "operation_table": "best_policies",
    "phase_table": "costs",
    "results": "frame",
    "score_markdown": "scores",
    "score_table": "scores",
    "subpolicy_table": "best_policies",
    "summary_scores": "summary",
    "write_report": "report",
}
__getattr__ = lazy_names(__name__, FILES)
__all__ = [*FILES]

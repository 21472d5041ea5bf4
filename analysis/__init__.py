"""Reads run directories and draws; runs nothing and needs no Ray."""

from typing import TYPE_CHECKING

from augbench.datasets.lazy import lazy_names

if TYPE_CHECKING:  # for editors and type checkers, which do not run `lazy_names`
    from augbench.analysis.figures.accuracy import accuracy_figure
    from augbench.analysis.figures.costs import cost_figure
    from augbench.analysis.figures.layers import layer_figure
    from augbench.analysis.figures.policies import policy_figure
    from augbench.analysis.figures.profiles import profile_figure
    from augbench.analysis.figures.ranks import rank_figure
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
        group_table,
        kept_predictions,
        metric_table,
    )
    from augbench.analysis.tables.costs import cost_table, energy_table, phase_table
    from augbench.analysis.tables.frame import Results, load, read_results, results
    from augbench.analysis.tables.gains import gain_table
    from augbench.analysis.tables.imputed import impute_failed
    from augbench.analysis.tables.layers import layer_table
    from augbench.analysis.tables.over_tasks import overall_table, reference_table
    from augbench.analysis.tables.panels import panel_table
    from augbench.analysis.tables.policy_folds import policy_folds
    from augbench.analysis.tables.profiles import profile_table
    from augbench.analysis.tables.ranks import rank_methods, rank_table
    from augbench.analysis.tables.rest import rest_table
    from augbench.analysis.tables.scores import final_scores, score_markdown, score_table
    from augbench.analysis.tables.searches import charge_searches
    from augbench.analysis.tables.summary import summary_scores

# The public names of the library, and the file of each.
FILES = {
    "accuracy_figure": "figures.accuracy",
    "agreement_table": "tables.agreement",
    "best_policies": "tables.best_policies",
    "charge_searches": "tables.searches",
    "class_table": "tables.class_scores",
    "confusion_table": "tables.class_scores",
    "cost_figure": "figures.costs",
    "cost_table": "tables.costs",
    "energy_table": "tables.costs",
    "final_scores": "tables.scores",
    "gain_table": "tables.gains",
    "group_table": "tables.class_scores",
    "impute_failed": "tables.imputed",
    "kept_predictions": "tables.class_scores",
    "layer_figure": "figures.layers",
    "layer_table": "tables.layers",
    "load": "tables.frame",
    "method_styles": "styles",
    "metric_table": "tables.class_scores",
    "operation_table": "tables.best_policies",
    "overall_table": "tables.over_tasks",
    "phase_table": "tables.costs",
    "panel_table": "tables.panels",
    "policy_figure": "figures.policies",
    "policy_folds": "tables.policy_folds",
    "profile_figure": "figures.profiles",
    "profile_table": "tables.profiles",
    "rank_figure": "figures.ranks",
    "rank_methods": "tables.ranks",
    "rank_table": "tables.ranks",
    "read_results": "tables.frame",
    "reference_table": "tables.over_tasks",
    "rest_table": "tables.rest",
    "results": "tables.frame",
    "Results": "tables.frame",
    "score_markdown": "tables.scores",
    "score_table": "tables.scores",
    "subpolicy_table": "tables.best_policies",
    "summary_scores": "tables.summary",
    "write_report": "report",
}
__getattr__ = lazy_names(__name__, FILES)
__all__ = [*FILES]

"""Reads run directories and draws; runs nothing and needs no Ray."""

from augbench.datasets.lazy import lazy_names

# The public names of the library, and the file of each.
FILES = {
    "Results": "frame",
    "agreement_table": "agreement",
    "rest_table": "rest",
    "accuracy_figure": "figures",
    "charge_searches": "searches",
    "final_scores": "scores",
    "load": "frame",
    "method_styles": "styles",
    "results": "frame",
    "score_markdown": "scores",
    "score_table": "scores",
    "write_report": "report",
}
__getattr__ = lazy_names(__name__, FILES)
__all__ = [*FILES]

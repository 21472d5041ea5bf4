"""What the sections of the page are made from."""

import shlex
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from augbench.analysis.html.history import History
from augbench.analysis.styles import Style, method_styles
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.gains import gain_table
from augbench.analysis.tables.over_tasks import overall_table, reference_table
from augbench.analysis.tables.ranks import Ranking, rank_methods
from augbench.analysis.tables.run_tables import RunTables
from augbench.analysis.tables.scores import score_table
from augbench.analysis.tables.summary import summary_scores


@dataclass(frozen=True)
class DrawnFigure:
    """A figure, as it is written beside the page."""

    task: str  # "" for a figure of all tasks
    # One of figures.FIGURES, "ranges", "layers", "policies", "costs", "profile" or "ranks".
    name: str
    stem: str  # of its files: STEM.csv, STEM.svg
    table: pd.DataFrame  # what is drawn, all rows
    svg: bytes


@dataclass(frozen=True)
class ReportData:
    """A run, and what was drawn of it. ``command`` has the words that write this page."""

    results: Results
    history: History
    figures: tuple[DrawnFigure, ...] = ()
    command: tuple[str, ...] = ("augbench", "report", "RUN")
    include_shared: bool = field(default=False, kw_only=True)
    tables: RunTables = field(default_factory=RunTables, kw_only=True)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The ``score_table`` of the run."""
        return score_table(self.results, include_shared=self.include_shared)

    @cached_property
    def gains(self) -> pd.DataFrame:
        """The ``gain_table`` of the run."""
        return gain_table(self.results)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The ``summary_scores`` of the run, along device hours."""
        return summary_scores(self.results, include_shared=self.include_shared)

    @cached_property
    def ranking(self) -> Ranking:
        """The methods of the run, ranked over its tasks."""
        return rank_methods(self.results)

    @cached_property
    def overall(self) -> pd.DataFrame:
        """The ``overall_table`` of the run."""
        return overall_table(self.results, summary=self.summary, ranking=self.ranking)

    @cached_property
    def references(self) -> pd.DataFrame:
        """The ``reference_table`` of the run."""
        return reference_table(self.results, summary=self.summary)

    @cached_property
    def styles(self) -> dict[str, Style]:
        """The style of each method, skipped ones too, as in all figures of the run."""
        results = self.results
        labels = results.trials["method"].unique()
        skipped = set(results.skipped["method"]) - set(labels)
        names = {label: results.methods.get(label, label) for label in labels}
        # A method that is skipped everywhere is in no figure and must not change one.
        others = {label: results.methods.get(label, label) for label in sorted(skipped)}
        return method_styles(others) | method_styles(names)

    @property
    def command_line(self) -> str:
        """The command that writes this page, for a shell."""
        return shlex.join(self.command)

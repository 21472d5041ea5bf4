"""Mean ranks of the methods over the tasks of a run, and whether they differ."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augbench.analysis.statistics.friedman import (
    FriedmanResult,
    cliques,
    critical_difference,
    friedman_test,
)
from augbench.analysis.statistics.paired import ALPHA
from augbench.analysis.tables.frame import Results
from augbench.analysis.tables.panels import STYLE_COLUMNS, styled
from augbench.analysis.tables.task_scores import shared_scores, task_means, task_scores

RANK_COLUMNS = {
    "method": "str",
    "rank": "float64",  # mean over tasks; 1 is the best
    "groups": "str",  # numbers of the groups of methods that cannot be told apart; "" if in none
    "n_tasks": "int64",
    "critical_difference": "float64",  # of two mean ranks, by Nemenyi, at the level ALPHA
    "statistic": "float64",  # F of Iman and Davenport
    "p": "float64",
    "imputed": "int64",  # failed runs of the ranked methods that count as runs at chance level
}


@dataclass(frozen=True)
class Ranking:
    """The ranked methods and Friedman's test of them."""

    methods: tuple[str, ...]  # that are ranked
    tasks: tuple[str, ...]  # over which
    unplanned: tuple[str, ...]  # methods that are left out, since some task is without them
    without_run: tuple[str, ...]  # methods that are left out, since they have no run at all
    left_out: tuple[str, ...]  # tasks that are left out: there is no fold that all methods have
    result: FriedmanResult
    critical_difference: float  # NaN where there is no test

    @property
    def differ(self) -> bool:
        """Whether the test says that the ranks differ."""
        return self.result.iman_davenport.p < ALPHA  # NaN is not


def rank_methods(results: Results) -> Ranking:
    """Ranks the methods that are planned on all tasks by their interquartile means on each.

    Of a task only the (fold, seed) count that all ranked methods have; without any the task is left
    out, and so is a method that has no run on any task.
    Source: Demsar 2006, section 3.2.2.
    """
    scores = task_scores(results)
    labels = [str(label) for label in sorted(results.trials["method"].unique())]
    everywhere = [label for label in labels if all(label in table for table in scores.values())]
    ranked = [label for label in everywhere if _has_run(scores, label)]
    shared = {task: shared_scores(table, ranked) for task, table in scores.items()}
    rows = {task: task_means(runs) for task, runs in shared.items() if len(runs)}
    table = np.array([*rows.values()]).reshape(len(rows), len(ranked))
    result = friedman_test(table)
    tested = not result.iman_davenport.reason
    return Ranking(
        methods=tuple(ranked),
        tasks=tuple(rows),
        unplanned=tuple(label for label in labels if label not in everywhere),
        without_run=tuple(label for label in everywhere if label not in ranked),
        left_out=tuple(task for task in scores if task not in rows),
        result=result,
        critical_difference=critical_difference(*table.shape[::-1]) if tested else np.nan,
    )


def _has_run(scores: dict[str, pd.DataFrame], method: str) -> bool:
    return any(table[method].notna().any() for table in scores.values())


def rank_table(results: Results, ranking: Ranking | None = None) -> pd.DataFrame:
    """The ranked methods from the best on: ``RANK_COLUMNS`` and ``STYLE_COLUMNS``.

    Without rows where there are too few tasks or methods for the test. Two methods of one group
    cannot be told apart: their ranks differ by less than the critical difference. Where the test
    tells no method from the others all are one group.
    """
    ranking = rank_methods(results) if ranking is None else ranking
    test, ranks = ranking.result.iman_davenport, ranking.result.ranks
    rows = []
    if not test.reason:
        for place in np.argsort(ranks, kind="stable"):
            numbers = [n for n, group in enumerate(_groups(ranking), start=1) if place in group]
            rows.append((ranking.methods[place], ranks[place], " ".join(map(str, numbers))))
    own = results.trials[results.trials["method"].isin(ranking.methods)]
    table = pd.DataFrame(rows, columns=["method", "rank", "groups"]).assign(
        n_tasks=len(ranking.tasks),
        critical_difference=ranking.critical_difference,
        statistic=test.statistic,
        p=test.p,
        imputed=int(own["trial"].isin(list(results.imputed)).sum()),
    )
    return styled(table.astype(RANK_COLUMNS), results)[[*RANK_COLUMNS, *STYLE_COLUMNS]]


def _groups(ranking: Ranking) -> list[NDArray[np.int64]]:
    ranks = ranking.result.ranks
    distances = np.abs(ranks[:, None] - ranks)
    return cliques(ranks, (distances >= ranking.critical_difference) & ranking.differ)

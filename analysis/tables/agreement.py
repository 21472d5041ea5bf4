"""Did a search find anything? Whether what it ends with differs from uniform, and folds agree."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from augbench.analysis.tables.frame import Results

N_PERMUTATIONS = 2000
COLUMNS = (
    "task",
    "method",
    "trials",
    "transforms",
    "distance",
    "f",
    "f_p",
    "correlation",
    "correlation_p",
)
# Searches that begin with all operations chosen alike (methods/policies/soft_policy.py): their
# distance from uniform is that from their start. The others have no policy at their start.
STARTS_UNIFORM = ("faster_autoaugment", "dada", "adda", "cadda")


class Finding(NamedTuple):
    """A statistic, and the probability of one as large if there is no effect."""

    statistic: float
    p: float


def differs_from_uniform(values: NDArray[np.float64]) -> Finding:
    """F-test of the columns of (cells, operations): is any operation larger than others?

    A cell is one independent decision: the stages of a policy with their logits, or
    folds and seeds with the shares of their final policies. The mean of a cell is taken out, for it
    says nothing of operations. Needs 2 cells and 2 operations. Where cells are exactly alike the
    statistic is infinite, and 0 where all operations are equal.
    """
    n_cells, n_operations = values.shape
    assert n_cells > 1
    assert n_operations > 1
    centred = values - values.mean(axis=1, keepdims=True)
    effect = centred.mean(axis=0)
    between = n_cells * float(np.square(effect).sum()) / (n_operations - 1)
    freedom = (n_cells - 1) * (n_operations - 1)
    within = float(np.square(centred - effect).sum()) / freedom
    scale = float(np.square(values).max()) * np.finfo(np.float64).eps
    if between <= scale:
        return Finding(0.0, 1.0)
    if within <= scale:
        return Finding(float("inf"), 0.0)
    return Finding(between / within, float(stats.f.sf(between / within, n_operations - 1, freedom)))


def distance_from_uniform(values: NDArray[np.float64]) -> float:
    """How far the shares of each of (cells, operations) are from equal ones, mean over cells.

    Total variation: the part of a policy that would have to go to other operations, from 0 to
    1 - 1 / operations.
    """
    uniform = 1 / values.shape[1]
    return float(np.abs(values - uniform).sum(axis=1).mean() / 2)


def rank_agreement(values: NDArray[np.float64], generator: np.random.Generator) -> Finding:
    """Mean rank correlation of all pairs of rows of (folds, operations); p by permutation.

    Under the null each row has its operations in an order of its own. A row of equal values agrees
    with none (0). Needs 2 rows and 2 operations.
    """
    assert min(values.shape) > 1
    ranks = stats.rankdata(values, axis=1)
    found = _mean_correlation(ranks)
    null = [_mean_correlation(generator.permuted(ranks, axis=1)) for _ in range(N_PERMUTATIONS)]
    as_large = sum(each >= found - 1e-12 for each in null)
    return Finding(found, (as_large + 1) / (N_PERMUTATIONS + 1))


def _mean_correlation(ranks: NDArray[np.float64]) -> float:
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, norms, out=np.zeros_like(centred), where=norms > 0)
    # The sum over all pairs of different rows, without a loop over them.
    total, n = unit.sum(axis=0), len(unit)
    return float((total @ total - np.square(unit).sum()) / (n * (n - 1)))


def agreement_table(results: Results, generator: np.random.Generator) -> pd.DataFrame:
    """One row per task and method that ends in policies: ``COLUMNS``, of their final policies.

    A cell is a trial (a fold and a seed), its values the shares of transforms in all operations
    that fire. A method with one trial, and a task with one transform, have no row. Transforms are
    those that any policy of the task holds.
    """
    rows = []
    for task, of_task in results.policies.groupby("task"):
        names = sorted(of_task["transform"].unique())
        for method, table in of_task.groupby("method"):
            last = table[table["point"] == table.groupby("trial")["point"].transform("max")]
            shares = last.pivot_table("share", "trial", "transform", aggfunc="sum", fill_value=0.0)
            values = shares.reindex(columns=names, fill_value=0.0).to_numpy(dtype=np.float64)
            if min(values.shape) < 2:
                continue
            effect, agreement = differs_from_uniform(values), rank_agreement(values, generator)
            distance = distance_from_uniform(values)
            rows.append((task, method, *values.shape, distance, *effect, *agreement))
    return pd.DataFrame(rows, columns=list(COLUMNS))

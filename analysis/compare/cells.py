"""Two runs cell by cell: what each task and method reaches and costs in the former and the new."""

from collections.abc import Collection, Mapping
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from augbench.analysis.statistics.aggregate import interquartile_mean
from augbench.analysis.statistics.paired import corrected_t_interval, paired_differences
from augbench.analysis.statistics.result import IntervalEstimate
from augbench.analysis.tables.curves import contended_trials, shared_trials
from augbench.analysis.tables.frame import Results, finished
from augbench.analysis.tables.gains import final_test_scores, ratio_of_folds

COMPARED_COLUMNS = {  # one row per cell, a task and a method; `_a` the former run, `_b` the new one
    "task": "str",
    "method": "str",
    "verdict": "str",  # one of VERDICTS
    "why": "str",  # of the verdict; "" where the numbers say it
    "iqm_a": "float64",  # interquartile mean of the final test metric; NaN without a run
    "n_a": "int64",  # runs behind it: trials that have ended and have a point
    "done_a": "int64",
    "planned_a": "int64",
    "iqm_b": "float64",
    "n_b": "int64",
    "done_b": "int64",
    "planned_b": "int64",
    # Mean over folds of the new metric minus the former, of trials of equal fold and seed.
    "difference": "float64",
    "low": "float64",  # its 95 % interval; NaN where `why_no_interval` says why
    "high": "float64",
    "pairs": "int64",  # of trials
    "folds": "int64",  # with a pair
    "why_no_interval": "str",
    # Costs of the paired trials together, or of all runs of a cell that only one side has.
    "forward_a": "Int64",  # samples
    "forward_b": "Int64",
    "backward_a": "Int64",
    "backward_b": "Int64",
    "hours_a": "float64",  # of the device, full reading; NaN where they cannot be compared
    "hours_b": "float64",
    "why_no_hours": "str",
    "slowed": "str",  # "a", "b" or "a and b": its hours are too long, it waited for its processor
    "options": "str",  # which options differ; "" where none does
}
FAILING = ("worse", "missing", "not done", "not compared")  # verdicts by which B is worse
# "undecided" is what may be worse, but is not surely so: the interval reaches below the limit.
VERDICTS = (*FAILING, "equal", "no worse", "better", "undecided", "only in B", "no result yet")
BROKEN = ("failed", "damaged", "diverged")
_SAMPLES = ("forward", "backward")


def compare_results(
    a: Results,
    b: Results,
    *,
    limit: float,
    other_data: Collection[str] = (),
    options: Mapping[tuple[str, str], str] | None = None,
) -> pd.DataFrame:
    """One row per task and method that one of two runs plans: ``COMPARED_COLUMNS``.

    Worse is a cell whose interval lies wholly below ``-limit``, or, where there is no interval, its
    difference. ``other_data`` are tasks of which both have other data; ``options`` says by cell
    which options differ. A metric is better where it is higher.
    """
    finals_a, finals_b = final_test_scores(a), final_test_scores(b)
    rows = []
    for cell in _cells(a, b):
        former, new = _Side(a, finals_a, cell), _Side(b, finals_b, cell)
        pairs = former.finals.merge(new.finals, on=["fold", "seed"], suffixes=("_a", "_b"))
        difference = _difference(pairs, former, new, has_other_data=cell[0] in other_data)
        verdict, why = _verdict(former, new, pairs, difference, limit)
        rows.append(
            {"task": cell[0], "method": cell[1], "verdict": verdict, "why": why}
            | former.scores("a")
            | new.scores("b")
            | {"difference": difference.value, "low": difference.low, "high": difference.high}
            | {"pairs": len(pairs), "folds": pairs["fold"].nunique()}
            | {"why_no_interval": difference.reason}
            | _costs(former, new, pairs)
            | {"options": (options or {}).get(cell, "")}
        )
    return pd.DataFrame(rows, columns=list(COMPARED_COLUMNS)).astype(COMPARED_COLUMNS)


def _cells(a: Results, b: Results) -> list[tuple[str, str]]:
    """Those of the former run in the order of their names, then those that only the new one has."""
    known = [
        sorted(set(run.trials[["task", "method"]].itertuples(index=False, name=None)))
        for run in (a, b)
    ]
    return list(dict.fromkeys([*known[0], *known[1]]))


class _Side:
    """A cell in one of both runs: its trials, and the final scores of those that have any."""

    def __init__(self, results: Results, finals: pd.DataFrame, cell: tuple[str, str]) -> None:
        self.results = results
        trials = results.trials
        self.trials = trials[(trials["task"] == cell[0]) & (trials["method"] == cell[1])]
        self.done = finished(self.trials)
        self.finals = finals[finals["trial"].isin(self.trials["trial"])]
        points = results.points
        self.metrics = sorted(points.loc[points["task"] == cell[0], "metric"].unique())
        self.n_folds = int(trials.loc[trials["task"] == cell[0], "fold"].nunique())  # of the task
        skipped = results.skipped
        of_cell = (skipped["task"] == cell[0]) & (skipped["method"] == cell[1])
        self.skip_reason = str(next(iter(skipped.loc[of_cell, "reason"]), ""))

    def scores(self, side: str) -> dict[str, object]:
        """The columns that end in ``_a`` or ``_b`` and hold no cost."""
        return {
            f"iqm_{side}": float(interquartile_mean(self.finals["test"].to_numpy())),
            f"n_{side}": len(self.finals),
            f"done_{side}": int(self.done.sum()),
            f"planned_{side}": len(self.trials),
        }

    def states(self) -> dict[tuple[int, int], tuple[str, bool, str]]:
        """By fold and seed: the state of a trial, whether it is done, and the reason."""
        keys = self.trials[["fold", "seed"]].itertuples(index=False, name=None)
        values = zip(self.trials["state"], self.done, self.trials["reason"], strict=True)
        return dict(zip(keys, values, strict=True))


def _difference(
    pairs: pd.DataFrame, a: _Side, b: _Side, *, has_other_data: bool
) -> IntervalEstimate:
    if a.metrics != b.metrics and a.metrics and b.metrics:
        names = f"{' and '.join(a.metrics)} in A and {' and '.join(b.metrics)} in B"
        return IntervalEstimate(nan, nan, nan, 0, f"the metric is {names}")
    by_fold = pairs.groupby("fold")[["test_a", "test_b"]].mean()
    former, new = (by_fold[column].to_numpy(dtype=np.float64) for column in by_fold)
    found = corrected_t_interval(new, former, ratio_of_folds(max(a.n_folds, b.n_folds)))
    if has_other_data and len(pairs):
        reason = "the data differ, so the folds are no pairs"
        return IntervalEstimate(found.value, nan, nan, found.n, reason)
    return found


def _verdict(
    a: _Side, b: _Side, pairs: pd.DataFrame, difference: IntervalEstimate, limit: float
) -> tuple[str, str]:
    if b.trials.empty:
        return "missing", f"skipped in B: {b.skip_reason}" if b.skip_reason else ""
    if problem := _not_done(a, b):
        return "not done", problem
    if a.trials.empty:
        return "only in B", ""
    if a.finals.empty:
        return "no result yet", ""
    if pairs.empty:
        return "not compared", "no fold and seed in common"
    if np.isnan(difference.value):
        return "not compared", difference.reason
    if not paired_differences(pairs["test_b"].to_numpy(), pairs["test_a"].to_numpy()).any():
        return "equal", ""
    low, high = difference.low, difference.high
    if difference.reason:
        low = high = difference.value
    if high < -limit:
        return "worse", ""
    if low > limit:
        return "better", ""
    return "no worse" if low >= -limit else "undecided", ""


def _not_done(a: _Side, b: _Side) -> str:
    """Which trials of the new run lack a result that they should have; "" if none does."""
    former = a.states()
    problems = []
    for key, (state, is_done, reason) in b.states().items():
        was, was_done, _ = former.get(key, ("", False, ""))
        broke = state in BROKEN and was not in BROKEN
        if not is_done and (was_done or broke):
            problems.append(f"{state} ({reason})" if reason else state)
    if not problems:
        return ""
    kinds = ", ".join(dict.fromkeys(problems))
    return f"{len(problems)} of {len(b.trials)} trials in B: {kinds}"


def _costs(a: _Side, b: _Side, pairs: pd.DataFrame) -> dict[str, object]:
    """Of the pairs; where there are none, of all runs, each side for itself."""
    row: dict[str, Any] = {}
    trials: dict[str, list[str]] = {}
    for side, cell in (("a", a), ("b", b)):
        counted = cell.finals
        if len(pairs):
            counted = counted[counted["trial"].isin(pairs[f"trial_{side}"])]
        trials[side] = list(counted["trial"])
        for kind in _SAMPLES:
            total = counted[f"{kind}_full"].sum()
            row[f"{kind}_{side}"] = int(total) if len(counted) else pd.NA
        row[f"hours_{side}"] = counted["hours_full"].sum() if len(counted) else nan
    why = _why_no_hours(a, b, trials)
    if why:
        row |= {"hours_a": nan, "hours_b": nan}
    slowed = [
        side
        for side, cell in (("a", a), ("b", b))
        if set(trials[side]) & set(contended_trials(cell.results, "hours_full"))
    ]
    return {**row, "why_no_hours": why, "slowed": " and ".join(slowed)}


def _why_no_hours(a: _Side, b: _Side, trials: Mapping[str, list[str]]) -> str:
    """Why the device hours of both sides cannot be compared; "" where they can."""
    devices: dict[str, str] = {}
    for side, cell in (("a", a), ("b", b)):
        points = cell.results.points
        own = points[points["trial"].isin(trials[side])]
        devices[side] = " and ".join(sorted(own["device"].unique()))
        if set(trials[side]) & set(shared_trials(cell.results, "hours_full")):
            return f"a shared GPU in {side.upper()}"
        if (
            own["device"].nunique() > 1 or " + " in devices[side]
        ):  # of one trial, as points.py has it
            return f"{devices[side]} in {side.upper()}"
    if devices["a"] and devices["b"] and devices["a"] != devices["b"]:
        return f"{devices['a']} in A, {devices['b']} in B"
    return ""

"""What stands in for failed runs in scores over tasks, where the user asks for it."""

from dataclasses import replace

import pandas as pd

from augbench.analysis.tables.frame import Results


def impute_failed(results: Results) -> Results:
    """The same results, in which a failed run counts as one at the chance level of its task.

    That is in profiles and in scores over tasks alone; curves, costs and the scores of a task stay
    as they are. A run is failed if it ended in an error, diverged without a point, or used up its
    budget before the first one. What is waiting, running or damaged is missing, not failed. Where
    the chance level of a task is not known its failed runs stay without a score. The notes say how
    many there are of each.
    """
    failed = results.trials[_failed(results)]
    known = failed["task"].isin(list(results.chance))
    imputed = {
        str(row["trial"]): results.chance[row["task"]] for row in failed[known].to_dict("records")
    }
    notes = []
    if failed.empty:
        notes.append("--impute-failed changes nothing: no run failed.")
    if known.any():
        notes.append(
            f"{_runs(failed[known])}: each counts as a run at the chance level of its task, in "
            "profiles and over tasks (--impute-failed)."
        )
    if not known.all():
        notes.append(
            f"{_runs(failed[~known])}: no score stands in, since the chance level of the task is "
            "not known."
        )
    return replace(results, imputed=imputed, notes=(*results.notes, *notes))


def _failed(results: Results) -> "pd.Series[bool]":
    """Which trials have failed: (trials,)."""
    trials, state = results.trials, results.trials["state"]
    scored = trials["trial"].isin(results.points["trial"])
    over = (state == "over budget") & (trials["points_known"] == 0)
    return (state == "failed") | ((state == "diverged") & ~scored) | over


def _runs(failed: pd.DataFrame) -> str:
    """How many runs failed, and of which methods and tasks."""
    cells = failed.groupby(["method", "task"], as_index=False).size().to_dict("records")
    where = ", ".join(f"{cell['method']} on {cell['task']}: {cell['size']}" for cell in cells)
    return f"{len(failed)} runs failed ({where})" if len(failed) > 1 else f"1 run failed ({where})"

"""The trials of a suite as tables for the terminal: lines, or counts if there are many."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from augbench.bench.terminal import as_text

MAX_LINES = 500  # that anybody reads; more trials are counted
# States that have lines of their own however many trials there are.
PROBLEM_STATES = ("damaged", "failed", "diverged", "skipped")

Trial = Mapping[str, Any]  # a record of `read_trials` of bench/store/states.py


def plan_table(name: str, trials: Sequence[Trial]) -> Table:
    """The trials of a suite and the state of each."""
    title = f"{name}: {len(trials)} trials"
    states = ["to do" if trial["state"] == "waiting" else trial["state"] for trial in trials]
    if len(trials) > MAX_LINES:
        return _counted(title, trials, states)
    table = _table(("task", "method", "fold", "seed", "trial", ""), title)
    for trial, state in zip(trials, states, strict=True):
        table.add_row(*_identity(trial), trial["trial"], as_text(state))
    return table


def status_tables(trials: Sequence[Trial]) -> list[Table]:
    """How far each trial is; of many trials the counts, and a line for each that has a problem."""
    if len(trials) <= MAX_LINES:
        return [_states(trials)]
    wrong = [trial for trial in trials if trial["state"] in PROBLEM_STATES]
    counted = _counted(None, trials, [trial["state"] for trial in trials])
    return [counted, _states(wrong[:MAX_LINES])] if wrong else [counted]


def show_trials(trials: Sequence[Trial], console: Console) -> None:
    """Print how far the trials of a run are, and how many are in which state."""
    for table in status_tables(trials):
        console.print(table)
    states = Counter(trial["state"] for trial in trials)
    summary = ", ".join(f"{count} {state}" for state, count in states.most_common())
    console.print(f"{len(trials)} trials: {summary}", highlight=False)


def _states(trials: Sequence[Trial]) -> Table:
    table = _table(("task", "method", "fold", "seed", "state", "points", "wasted", "reason"))
    for trial in trials:
        table.add_row(
            *_identity(trial),
            as_text(trial["state"]),
            f"{trial['points_scored']} of {trial['points_known']}",
            f"{trial['wasted_seconds']:.1f} s",
            as_text(trial["reason"]),
        )
    return table


def _counted(title: str | None, trials: Sequence[Trial], states: Sequence[str]) -> Table:
    table = _table(("task", "method", "trials", ""), title)
    counts = Counter(
        (trial["task"], trial["method"], state) for trial, state in zip(trials, states, strict=True)
    )
    for (task, method, state), count in counts.items():
        table.add_row(as_text(task), as_text(method), str(count), as_text(state))
    return table


def _identity(trial: Trial) -> tuple[Text, Text, str, str]:
    return as_text(trial["task"]), as_text(trial["method"]), str(trial["fold"]), str(trial["seed"])


def _table(columns: Sequence[str], title: str | None = None) -> Table:
    table = Table(title=None if title is None else as_text(title), box=None)
    for column in columns:
        table.add_column(column, overflow="fold")  # a path that a reason names stays whole
    return table

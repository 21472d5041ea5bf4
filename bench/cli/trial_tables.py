"""The trials of a suite as text for the terminal: lines, or counts if there are many.

Not by rich, which takes a fifth of the time of ``augbench status``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from augbench.bench.printable import printable
from augbench.datasets.errors import counted

MAX_LINES = 500  # that anybody reads; more trials are counted
# States that have lines of their own however many trials there are.
PROBLEM_STATES = ("damaged", "failed", "diverged", "skipped")

Trial = Mapping[str, Any]  # a record of `read_trials` of bench/store/states.py
Row = Sequence[object]


def plan_text(name: str, trials: Sequence[Trial]) -> str:
    """The trials of a suite and the state of each."""
    title = printable(f"{name}: {counted(len(trials), 'trial')}")
    states = ["to do" if trial["state"] == "waiting" else trial["state"] for trial in trials]
    if len(trials) > MAX_LINES:
        return f"{title}\n{_counts(trials, states)}"
    rows = [
        (*_identity(trial), trial["trial"], state)
        for trial, state in zip(trials, states, strict=True)
    ]
    return f"{title}\n{columns(('task', 'method', 'fold', 'seed', 'trial', ''), rows)}"


def status_text(trials: Sequence[Trial]) -> str:
    """How far each trial is, and how many are in which state.

    Many trials are counted; those that have a problem have a line each all the same.
    """
    states = [trial["state"] for trial in trials]
    parts = []
    if len(trials) <= MAX_LINES:
        parts.append(_states(trials))
    else:
        parts.append(_counts(trials, states))
        wrong = [trial for trial in trials if trial["state"] in PROBLEM_STATES]
        parts += [_states(wrong[:MAX_LINES])] if wrong else []
    return "\n".join([*parts, printable(state_counts(trials))])


def state_counts(trials: Sequence[Trial]) -> str:
    """How many trials there are, and how many in which state, on one line."""
    states = Counter(trial["state"] for trial in trials)
    summary = ", ".join(f"{count} {state}" for state, count in states.most_common())
    return f"{counted(len(trials), 'trial')}: {summary}"


def _states(trials: Sequence[Trial]) -> str:
    rows = [
        (
            *_identity(trial),
            _state(trial),
            f"{trial['points_scored']} of {trial['points_known']}",
            "-" if trial["valid"] is None else f"{trial['valid']:.3f}",
            f"{trial['wasted_seconds']:.1f} s",
            trial["reason"],
        )
        for trial in trials
    ]
    header = ("task", "method", "fold", "seed", "state", "points", "valid", "wasted", "reason")
    return columns(header, rows)


def _state(trial: Trial) -> str:
    """The state; of a trial whose search is over, how many retrainings are to come."""
    left = trial["retrainings_left"]
    if trial["state"] != "waiting" or not left:
        return str(trial["state"])
    return f"waiting for {counted(left, 'retraining')}"


def _counts(trials: Sequence[Trial], states: Sequence[str]) -> str:
    counts = Counter(
        (trial["task"], trial["method"], state) for trial, state in zip(trials, states, strict=True)
    )
    rows = [(task, method, count, state) for (task, method, state), count in counts.items()]
    return columns(("task", "method", "trials", ""), rows)


def _identity(trial: Trial) -> Row:
    return trial["task"], trial["method"], trial["fold"], trial["seed"]


def columns(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows in columns as wide as their widest cell; the last column ends where its text ends."""
    cells = [list(header), *([printable(str(cell)) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    )

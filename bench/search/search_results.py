"""What a search has come to: a row for each trial, and the tables that a suite can run with."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from optuna.trial import FrozenTrial, TrialState

from augbench.bench.plan.tables import SearchTable
from augbench.bench.search.journal import read_journal
from augbench.bench.search.rungs import step_divisor
from augbench.bench.search.search import Search, read_search
from augbench.bench.search.space import Value, Values, with_values
from augbench.bench.store.files import replace_text

FRAGMENT = "best.toml"
_STATES = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned"}


class TrialResult(NamedTuple):
    """A trial of a search."""

    number: int
    state: str  # "done", "pruned", or "unfinished"
    values: Values
    valid: float | None  # the mean over its units of the best validation metric; None: unfinished
    standard_error: float | None  # of that mean; None of one unit
    device_hours: float
    forward: int  # samples
    backward: int
    share_of_steps: float  # after which the metric was looked at: a ninth, a third, or 1


class SearchResults(NamedTuple):
    """All of a search."""

    search: Search
    n_trials: int  # asked for
    trials: tuple[TrialResult, ...]

    @property
    def best(self) -> TrialResult | None:
        """The trial with the best validation metric of those that ran to their end, the oldest."""
        done = [each for each in self.trials if each.state == "done"]
        return max(done, key=lambda each: each.valid or 0.0, default=None)

    @property
    def cost(self) -> SearchTable:
        """What all trials together were charged; its directory is left open."""
        return SearchTable(
            directory="",
            device_hours=sum(each.device_hours for each in self.trials),
            forward=sum(each.forward for each in self.trials),
            backward=sum(each.backward for each in self.trials),
        )


def read_search_results(path: Path) -> SearchResults:
    """Of a search's directory, at any time.

    Raises a UserError if there is no search in it.
    """
    search, n_trials = read_search(path)
    return SearchResults(search, n_trials, tuple(map(_trial_result, read_journal(path))))


def _trial_result(trial: FrozenTrial) -> TrialResult:
    record = trial.user_attrs
    return TrialResult(
        number=trial.number,
        state=_STATES.get(trial.state, "unfinished"),
        values=trial.params,
        valid=trial.values[0] if trial.values else None,
        standard_error=record.get("standard_error"),
        device_hours=record.get("device_hours", 0.0),
        forward=record.get("forward", 0),
        backward=record.get("backward", 0),
        share_of_steps=_share(trial),
    )


def _share(trial: FrozenTrial) -> float:
    """How far a trial has come, as told at its rungs."""
    if trial.state == TrialState.COMPLETE:
        return 1.0
    rung = max(trial.intermediate_values, default=0)
    return 1 / step_divisor(rung) if rung else 0.0


def write_fragment(path: Path, results: SearchResults) -> Path | None:
    """Write the best trial as tables for ``augbench run --with``; None where there is none yet."""
    best = results.best
    if best is None:
        return None
    label = results.search.method
    cost = asdict(results.cost) | {"directory": str(path.resolve())}
    table = with_values({}, best.values)
    text = (
        f"# Trial {best.number} of the {len(results.trials)} in {path}: "
        f"{valid_text(best)} in validation.\n"
        + _toml(("methods", label), table)
        + "\n# What the search was charged: augbench report --charge-search adds it.\n"
        + _toml(("searches", label), cost)
    )
    replace_text(path / FRAGMENT, text, sync=True)
    return path / FRAGMENT


def valid_text(finding: TrialResult) -> str:
    """A validation metric and its standard error."""
    if finding.valid is None:
        return "-"
    error = finding.standard_error
    return f"{finding.valid:.4f}" + ("" if error is None else f" ± {error:.4f}")


def _toml(path: Sequence[str], table: dict[str, Any]) -> str:
    """A table of plain values and, below it, the tables in it."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    text = f"[{'.'.join(map(_key, path))}]\n"
    text += "".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    return text + "".join(_toml((*path, key), value) for key, value in inner.items())


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _value(value: Value) -> str:
    return json.dumps(value)  # of numbers, words and truth values, what JSON writes is TOML

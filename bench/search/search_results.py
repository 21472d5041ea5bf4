"""The results of a search: a row for each trial, and the tables with which a suite can run."""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from optuna.trial import FrozenTrial, TrialState

from augbench.bench.plan.tables import SearchTable
from augbench.bench.plan.toml import toml_text
from augbench.bench.search.journal import FILE, read_journal, read_record
from augbench.bench.search.rungs import step_divisor
from augbench.bench.search.search import Search, read_search
from augbench.bench.search.space import Values, with_values
from augbench.bench.search.trial_record import TrialRecord
from augbench.bench.store.files import replace_text

FRAGMENT = "best.toml"
_STATES = {TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned"}


class TrialResult(NamedTuple):
    """A trial of a search."""

    number: int
    state: str  # "done", "pruned", or "unfinished"
    values: Values
    # The mean over its units of the best validation metric; None where the trial is unfinished or
    # one of its units has shown no metric.
    valid: float | None
    standard_error: float | None  # of that mean; None for one unit
    device_hours: float
    forward: int  # samples
    backward: int
    share_of_steps: float  # after which the metric was read: a ninth, a third, or 1
    without_metric: tuple[str, ...] = ()  # why units have shown none, one for each such unit
    n_units: int = 1


class SearchResults(NamedTuple):
    """All of a search."""

    search: Search
    n_trials: int  # asked for
    trials: tuple[TrialResult, ...]

    @property
    def best(self) -> TrialResult | None:
        """Of the trials that ran to their end, the oldest with the best validation metric.

        None if no trial has run to its end, or if each has a unit without a metric.
        """
        done = [(each.valid, each) for each in self.trials if each.state == "done"]
        known = [(valid, each) for valid, each in done if valid is not None]
        return max(known, key=lambda pair: pair[0], default=(0.0, None))[1]

    @property
    def n_ended(self) -> int:
        """How many trials have ended, pruned ones among them."""
        return sum(each.state != "unfinished" for each in self.trials)

    @property
    def cost(self) -> SearchTable:
        """What all trials together were charged; its directory is empty."""
        return SearchTable(
            directory="",
            device_hours=sum(each.device_hours for each in self.trials),
            forward=sum(each.forward for each in self.trials),
            backward=sum(each.backward for each in self.trials),
        )


def read_search_results(path: Path) -> SearchResults:
    """Read a search's directory, at any time.

    Raises a UserError if there is no search in it, or its files are damaged.
    """
    search, n_trials = read_search(path)
    trials = read_journal(path, search.spaces)
    return SearchResults(search, n_trials, tuple(_trial_result(t, path / FILE) for t in trials))


def _trial_result(trial: FrozenTrial, file: Path) -> TrialResult:
    ended = trial.state in _STATES
    record = read_record(trial, file) if ended else TrialRecord()
    known = ended and trial.values and not record.without_metric
    return TrialResult(
        number=trial.number,
        state=_STATES.get(trial.state, "unfinished"),
        values=trial.params,
        valid=trial.values[0] if known else None,
        standard_error=record.standard_error if known else None,
        device_hours=record.device_hours,
        forward=record.forward,
        backward=record.backward,
        share_of_steps=_share(trial),
        without_metric=tuple(record.without_metric),
        n_units=len(record.values) or 1,
    )


def _share(trial: FrozenTrial) -> float:
    """The share of its steps that a trial has done, as noted at its rungs."""
    if trial.state == TrialState.COMPLETE:
        return 1.0
    rung = max(trial.intermediate_values, default=0)
    return 1 / step_divisor(rung) if rung else 0.0


def write_fragment(path: Path, results: SearchResults) -> Path | None:
    """Write the best trial as tables for ``augbench run --with``.

    None where no trial is the best; a file of a former search of this directory is removed then.
    """
    best = results.best
    if best is None:
        (path / FRAGMENT).unlink(missing_ok=True)
        return None
    label = results.search.method
    cost = asdict(results.cost) | {"directory": str(path.resolve())}
    table = with_values({}, best.values)
    text = (
        f"# Trial {best.number} of the {len(results.trials)} in {path}: "
        f"{valid_text(best)} in validation.\n"
        + toml_text(table, ("methods", label))
        + "\n# What the search was charged: augbench report --charge-search adds it.\n"
        + toml_text(cost, ("searches", label))
    )
    replace_text(path / FRAGMENT, text, sync=True)
    return path / FRAGMENT


def valid_text(trial: TrialResult) -> str:
    """A validation metric and its standard error."""
    if trial.valid is None:
        return "-"
    error = trial.standard_error
    return f"{trial.valid:.4f}" + ("" if error is None else f" ± {error:.4f}")

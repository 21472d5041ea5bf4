"""The command from its words to its last line: what was asked, and what has come of it."""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from augbench.bench.driver.display import duration
from augbench.bench.driver.place import Place
from augbench.bench.plan.suite import Suite
from augbench.bench.search.drive import run_search
from augbench.bench.search.findings import Findings, read_findings, valid_text, write_fragment
from augbench.bench.search.search import make_search
from augbench.bench.search.space import SamplerName, read_spaces
from augbench.datasets.errors import UserError

N_TRIALS = 20  # where nothing else is said


class Wish(NamedTuple):
    """The words of the command that say what to search."""

    suite: str
    method: str
    param: list[str]
    space: list[str]
    sampler: SamplerName
    trials: int | None
    seed: int
    batch: int
    prune: bool


def search_suite(suite: Suite, wish: Wish, place: Place, console: Console) -> bool:
    """Search, or go on with it; True when every trial that was asked for has ended.

    Raises a UserError for bad input, before any trial begins where that can be known.
    """
    if wish.trials is not None and wish.trials < 1:
        raise UserError(f"--trials is {wish.trials}; it has to be 1 or more")
    search = make_search(
        suite,
        wish.method,
        read_spaces(wish.param, wish.space),
        sampler=wish.sampler,
        seed=wish.seed,
        batch=wish.batch,
        prune=wish.prune,
    )
    labels = suite.resolved["methods"]
    if wish.method not in labels:
        _say(console, f"the suite names no {wish.method!r} ({', '.join(labels)}): its defaults")
    n_trials = wish.trials or (None if wish.sampler == "grid" else N_TRIALS)
    failed = run_search(search, n_trials, suite, place, console)
    findings = read_findings(place.out)
    fragment = write_fragment(place.out, findings)
    for unit, reason in failed.items():
        _say(console, f"failed: {unit}: {reason}")
    n_ended = _show(findings, console)
    if n_ended < findings.n_trials:
        mend = "mend what is named above and " if failed else ""
        _say(console, f"{mend}run the same command again: it carries on")
    if fragment is not None:
        _say(console, f"take the best over: augbench run {wish.suite} --with {fragment}")
    return n_ended >= findings.n_trials and fragment is not None


def show_search(path: Path, console: Console) -> None:
    """What a search has come to, from its files alone."""
    _show(read_findings(path), console)


def _show(findings: Findings, console: Console) -> int:
    """The table of the trials and what they cost; returns how many have ended."""
    console.print(_table(findings))
    n_ended = sum(trial.state != "unfinished" for trial in findings.trials)
    cost = duration(findings.cost.device_hours * 3600)
    _say(console, f"{n_ended} of {findings.n_trials} trials ended, charged {cost} in all")
    return n_ended


def _table(findings: Findings) -> Table:
    """A row for each trial, the best one marked."""
    keys = list(findings.search.parameters)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("trial", *keys, "validation", "device time", "state"):
        table.add_column(column)
    for trial in findings.trials:
        values = [_short(trial.values.get(key)) for key in keys]
        state = f"{trial.state}, best" if trial is findings.best else trial.state
        if trial.state == "pruned":
            state += f" after 1/{round(1 / trial.share_of_steps)} of its steps"
        time = duration(trial.device_hours * 3600)
        table.add_row(str(trial.number), *values, valid_text(trial), time, state)
    return table


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _say(console: Console, line: str | Path) -> None:
    console.print(str(line), highlight=False, markup=False, soft_wrap=True)

"""The harness from Python: a script, a notebook or a thread.

    from augbench.analysis import read_results, score_table
    from augbench.bench.library import load_model, run_suite, search

`run_suite` does what ``augbench run`` does, `search` runs one method on one task, and `load_model`
gives what was trained. `augbench.analysis` reads and draws what a run gave.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import nn

from augbench.bench.driver import run as driver
from augbench.bench.driver.run_options import RunOptions, open_directory
from augbench.bench.engines.engine import EngineName
from augbench.bench.plan.suite import Suite, find_suite, load_suite, read_suite
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.store.states import read_trials
from augbench.bench.unit.load_model import load_model
from augbench.datasets.arguments import read_path, read_table
from augbench.datasets.array_fields import KEYS
from augbench.datasets.errors import UserError, unknown
from augbench.methods import known_methods
from augbench.methods.policies.policy import Policy

__all__ = ["load_model", "run_suite", "search"]

# Two drivers in one process would draw from each other's global generator of torch.
_ONE_AT_A_TIME = threading.Lock()


def run_suite(
    suite: Path | str | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    data: Path | str = "data",
    engine: EngineName = "inline",
    workers: int | None = None,
    device: str = "cpu",
    overrides: Sequence[str] = (),
    verbose: bool = True,
) -> Path:
    """Run a suite, or resume it, and return its run directory.

    ``suite`` is a file, the name of a shipped suite, or a dict with the tables of such a file.
    ``out`` is the run directory, by default ``runs/NAME``, and ``data`` the folder of the data
    sets. ``engine`` "inline" works in this process, "ray" in ``workers`` processes on this machine,
    by default two. ``device`` "cuda" works on this process's GPU. ``overrides`` are those of
    ``--set``. With ``verbose`` the progress is shown. A first Ctrl-C stops after the current step,
    but only where the main thread runs the suite. In this process, leave torch's global generator
    and its number of threads alone meanwhile; both are as before when it returns.

    Raises a UserError for bad input, and if anything that was planned is missing at the end: what
    is done stays in the run directory, and the same call goes on. Raises a KeyboardInterrupt after
    a Ctrl-C.
    """
    if isinstance(suite, Mapping):
        read = _from_tables(suite, overrides)
    else:
        file = read_path("suite", suite, "a dict of tables, the name of a suite")
        read = load_suite(find_suite(file), overrides)
    folder = Path("runs") / read.name if out is None else read_path("out", out)
    return _run(read, folder, read_path("data", data), engine, workers, device, verbose)


def search(
    method: str,
    task: str | tuple[Any, Any] | Mapping[str, Any],
    *,
    budget: Mapping[str, float] | None = None,
    seed: int = 0,
    fold: int = 0,
    options: Mapping[str, Any] | None = None,
    out: Path | str | None = None,
    data: Path | str = "data",
    engine: EngineName = "inline",
    workers: int | None = None,
    device: str = "cpu",
    verbose: bool = False,
) -> Policy | nn.Module:
    """Learn to augment: the best policy of a method, or its trained model in evaluation mode.

    ``task`` is the name of a task, or a pair of arrays (x, y), or a dict. Arrays are those of the
    task ``arrays``: x (N, C, T) EEG in any unit, or (N, C, H, W) images in [0, 1], and y (N,). A
    dict has the arrays x, y and, if you like, groups, channels and sampling_rate (in hertz), or
    instead of them ``task`` with a name; its other keys are those of a task's table in a suite, as
    ``training={"epochs": 20}`` and ``trunk="eegnet"``. ``options`` are those of the method
    (``augbench methods NAME`` lists them). ``budget`` says where the search ends at the latest, as
    ``{"steps": 40}`` or ``{"device_hours": 0.5}``; without one it ends where the method does.

    Part of the data is kept for validation, by which the best is chosen, and for a test: ``fold``
    says which. The run directory ``out`` keeps everything and can be resumed; by default it is
    deleted at the end. The rest is as in `run_suite`.

    Raises errors as `run_suite` does, and a UserError for a method that does not fit the task.
    """
    if not isinstance(method, str) or method not in known_methods():
        raise unknown("method", method, known_methods())
    budget, options = read_table("budget", budget), read_table("options", options)
    with _folder(out) as run:
        table, data = _task_table(task, run, read_path("data", data))
        tables = {
            "name": "search",
            "folds": [fold],
            "seeds": [seed],
            "budget": budget,
            "tasks": {table.get("task", "task"): table},
            "methods": {method: options},
        }
        suite = read_suite(tables, f"search({method!r}, ...)")
        _run(suite, run, data, engine, workers, device, verbose)
        for reason in RunDirectory(run).skipped().values():
            raise UserError(reason)
        if known_methods()[method].ends_in == "policy":
            return Policy.load(run)
        return load_model(run, data=data, device=device)


def _from_tables(tables: Mapping[str, Any], overrides: Sequence[str]) -> Suite:
    if overrides:
        raise UserError("overrides are for a suite's file; change the tables that you give instead")
    return read_suite(tables, "the tables of the suite")


def _run(
    suite: Suite,
    out: Path,
    data: Path,
    engine: EngineName,
    workers: int | None,
    device: str,
    verbose: bool,
) -> Path:
    """Do what is left of a suite; a UserError if something is missing at the end."""
    if workers is not None:
        tables = {**suite.resolved, "resources": {**suite.resolved.get("resources", {})}}
        tables["resources"]["workers"] = workers
        suite = read_suite(tables, suite.name)
    # Plain lines in a notebook too: rich would make a display of HTML for each of them.
    console = Console(quiet=not verbose, force_jupyter=False)
    options = RunOptions(out, data, engine=engine, device=device)
    with _ONE_AT_A_TIME, _threads_kept():
        complete = driver.run_suite(suite, options, console)
    if not complete:
        raise UserError(f"{_missing(out, suite)}; what is done is in {out}, the same call goes on")
    return out


def _missing(out: Path, suite: Suite) -> str:
    """How much is missing, and the first reason that is known."""
    trials = read_trials(RunDirectory(out), suite.plan)
    good = ("done", "over budget")
    planned = [each for each in trials if each["state"] != "skipped"]
    left = [each for each in planned if each["state"] not in good or not each["points_known"]]
    known = [each for each in left if each["reason"]] or left
    why = "" if not known else f": {known[0]['method']} on {known[0]['task']} {known[0]['state']}"
    reason = f" ({known[0]['reason']})" if known and known[0]["reason"] else ""
    return f"{len(left)} of {len(planned)} trials are missing{why}{reason}"


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Put back torch's number of threads, which a driver sets."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _folder(out: Path | str | None) -> Iterator[Path]:
    """The run directory; one that nobody asked for is deleted at the end."""
    if out is not None:
        yield read_path("out", out)
        return
    with TemporaryDirectory(prefix="augbench-search-") as folder:
        yield Path(folder)


def _task_table(
    task: str | tuple[Any, Any] | Mapping[str, Any], run: Path, data: Path
) -> tuple[dict[str, Any], Path]:
    """The table of a task in a suite, and the folder of its data; arrays are written into it."""
    if isinstance(task, str):
        return {"task": task}, data
    if isinstance(task, tuple):
        if len(task) != 2:
            raise UserError(f"task is a tuple of {len(task)}; it has to be (x, y), or a dict")
        task = {"x": task[0], "y": task[1]}
    if not isinstance(task, Mapping):
        raise UserError(
            f"task is a {type(task).__name__}; it has to be the name of a task, arrays (x, y), or "
            "a dict with x and y"
        )
    if "x" not in task and "y" not in task:
        return dict(task), data
    arrays: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in task.items():
        # An array of another name is one that the task does not know, and it says so.
        is_array = key in KEYS or isinstance(value, np.ndarray | torch.Tensor)
        (arrays if is_array else rest)[key] = _array(value) if is_array else value
    open_directory(run, "run.json")  # refuses a folder of somebody's own
    folder = run / ".arrays"  # hidden: a run directory begins empty
    folder.mkdir(exist_ok=True)
    np.savez(folder / "arrays.npz", **arrays)
    return {"task": "arrays", "path": "arrays.npz", **rest}, folder


def _array(value: Any) -> Any:
    try:
        return np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)
    except ValueError as error:  # lists of different lengths
        raise UserError(f"x and y have to be arrays, all examples of one shape ({error})") from None

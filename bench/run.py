"""Run a suite into a run directory: prepare, check, schedule, and say what is missing."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Literal

import torch
from rich.console import Console

from bench.attempt import kept_data, provenance
from bench.display import Display, duration
from bench.engines.engine import Engine
from bench.engines.inline import InlineEngine
from bench.job import check_data, load_task, trial_job
from bench.ledger import Ledger
from bench.points import involved, read_trials
from bench.schedule import Tally, pending, work_through
from bench.store import SCHEMA, RunDirectory, append_line, hold_lock, write_json
from bench.suite import PlannedTrial, Suite
from bench.work import Host
from datasets.errors import UserError

EngineName = Literal["inline", "ray"]


@dataclass(frozen=True)
class Place:
    """Where a suite runs."""

    out: Path
    data: Path
    engine: EngineName = "ray"
    address: str | None = None  # of a Ray cluster; None starts one on this machine
    device: str = "cpu"


def run_suite(suite: Suite, place: Place, console: Console) -> bool:
    """Do what the run directory lacks; True when all that was planned is there.

    Raises a UserError for bad input, before any trial begins where that can be known.
    """
    _check_device(place)
    torch.set_num_threads(max(1, int(suite.resources.cpus)))  # preparing, and the inline engine
    run = _open(place.out)
    with hold_lock(run.path / "lock", f"{run.path} is in use by another driver"):
        specs = [planned.spec for planned in suite.plan]
        tally = Tally()
        if pending(run, specs):
            prepare(run, suite.plan, place.data)
            began = time.monotonic()
            display = Display(run, suite.plan, tally, console)
            engine = _engine(run, suite, place)
            signal.signal(signal.SIGTERM, _interrupt)  # after Ray, which sets one of its own
            try:
                _record(run, suite, console)  # not before: what is refused leaves a run as it was
                with display.show():
                    work_through(run, specs, engine, tally, on_tick=display.tick)
            finally:
                engine.close()
            console.print(f"worked for {duration(time.monotonic() - began)}", highlight=False)
        else:
            _record(run, suite, console)
            console.print("nothing left to run")
    return _summarise(run, suite, tally, console)


def prepare(run: RunDirectory, plan: Sequence[PlannedTrial], data: Path) -> None:
    """Load every task and build every method on it, so that bad input shows before any trial.

    Workers then find the caches warm and never download at the same time.
    """
    seen = set()
    for planned in plan:
        spec = planned.spec
        task = load_task(spec.task, data)
        if spec.fold >= task.n_folds:
            raise UserError(
                f"[tasks.{planned.task}] has {task.n_folds} folds; the suite asks for fold "
                f"{spec.fold}"
            )
        for unit in involved(run, spec):
            check_data(task, kept_data(unit), unit.path)
        if (planned.task, planned.method) in seen:
            continue
        seen.add((planned.task, planned.method))
        try:
            job = trial_job(spec.to_json(), data, device=torch.device("cpu"), meter=Ledger())
            job.setup.trunk()  # of which a search makes none before its first step
        except UserError as error:
            raise UserError(f"{planned.method} on {planned.task}: {error}") from error


def _check_device(place: Place) -> None:
    if place.device not in ("cpu", "cuda"):
        raise UserError(f"--device {place.device}: known: cpu, cuda")
    if place.device == "cuda" and place.engine == "ray":
        raise UserError(
            "--device is for the inline engine; Ray hands out GPUs by --set resources.gpus=1"
        )
    if place.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no GPU on this machine; leave the option out")


def _open(path: Path) -> RunDirectory:
    """A run directory that can be written to; a new one where there is none."""
    run = RunDirectory(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with (path / "lock").open("a"):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to run directory {path}: {error.strerror}; choose another with --out"
        ) from None
    if run.exists():
        run.header()
    elif any(entry.name != "lock" and entry.name[0] != "." for entry in path.iterdir()):
        raise UserError(f"{path} holds files but no run.json: choose an empty folder with --out")
    return run


def _record(run: RunDirectory, suite: Suite, console: Console) -> None:
    """Keep the resolved suite; a changed one adds to the run, and the change is noted."""
    former = run.header()["suite"] if run.exists() else None
    if former is not None and {**former, "resources": 0} == {**suite.resolved, "resources": 0}:
        return
    event = "created" if former is None else "suite changed"
    record = {"schema": SCHEMA, "name": suite.name, "suite": suite.resolved}
    write_json(run.header_file, record)
    details = {"former": former, **provenance(torch.device("cpu"))}
    append_line(run.events_file, {"time": time.time(), "event": event, **details})
    planned = {trial.spec.unit.digest for trial in suite.plan}
    out_of_view = [each for each in run.path.glob("trials/*") if each.name not in planned]
    if out_of_view:
        console.print(
            f"the suite has changed: {len(out_of_view)} trials of former ones stay in {run.path}, "
            "but status and report show them no more",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _engine(run: RunDirectory, suite: Suite, place: Place) -> Engine:
    gpus = suite.resources.gpus
    host = Host(
        data=place.data.resolve(),
        device=place.device if place.engine == "inline" else "cuda" if gpus else "cpu",
        threads=max(1, int(suite.resources.cpus)),
        shared=0 < gpus < 1,
    )
    if place.engine == "inline":
        return InlineEngine(run, host)
    from bench.engines.ray import RayEngine  # needs Ray, which the inline engine does not

    return RayEngine(run, host, suite.resources, address=place.address)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """A polite kill is a Ctrl-C; a second one is not waited for."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise KeyboardInterrupt


def _summarise(run: RunDirectory, suite: Suite, tally: Tally, console: Console) -> bool:
    """Say what is there, what is missing and why; True when nothing is missing."""
    trials = read_trials(run, suite.plan)
    missing = [
        trial
        for trial in trials
        if trial["state"] not in ("done", "over budget") or not trial["points_known"]
    ]
    lines = [f"{len(trials) - len(missing)} of {len(trials)} trials done in {run.path}"]
    wasted = sum(trial["wasted_seconds"] for trial in trials)
    if wasted:
        lines.append(f"{duration(wasted)} of work were lost to crashes and done again")
    for trial in missing:
        label = f"{trial['task']} · {trial['method']} · fold {trial['fold']} · seed {trial['seed']}"
        lines.append(f"  missing: {label}: {trial['state']} {trial['reason']}")
    # A unit that could not even write down why it failed has told the driver.
    lines += [f"  failed: {unit}: {reason}" for unit, reason in tally.failed.items()]
    states = {trial["state"] for trial in missing}
    if "diverged" in states:
        lines.append("diverged trials stay so: lower their learning rate in the suite")
    if "over budget" in states:
        lines.append("a budget that ends before the first point stays so: raise it in the suite")
    if tally.failed:
        lines.append("mend what is named above and run the same command again: it carries on")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    return not missing

"""Run a suite into a run directory: prepare, check, schedule, and say what is missing."""

import signal
import time
from collections.abc import Sequence
from contextlib import suppress
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
from bench.halt import Halt
from bench.job import check_data, load_task, trial_job
from bench.ledger import Ledger
from bench.points import involved, read_trials, skip_lines
from bench.preflight import distinct_tasks
from bench.schedule import Tally, pending, work_through
from bench.spec import TaskSpec
from bench.store import (
    SCHEMA,
    DamagedError,
    RunDirectory,
    UnitId,
    append_line,
    hold_lock,
    write_json,
)
from bench.suite import PlannedTrial, Resources, Suite
from bench.work import Host
from datasets.errors import UserError
from methods.method import DoesNotFitError

EngineName = Literal["inline", "ray"]


@dataclass(frozen=True)
class Place:
    """Where a suite runs."""

    out: Path
    data: Path
    engine: EngineName = "ray"
    address: str | None = None  # of a Ray cluster; None starts one on this machine
    stop_after_hours: float | None = None  # of the clock on the wall
    ship_code: bool = False  # whether its workers get the driver's code
    device: str = "cpu"


def run_suite(suite: Suite, place: Place, console: Console) -> bool:
    """Do what the run directory lacks; True when all that was planned is there.

    Raises a UserError for bad input, before any trial begins where that can be known.
    """
    check_device(place)
    torch.set_num_threads(max(1, int(suite.resources.cpus)))  # preparing, and the inline engine
    run = open_directory(place.out, "run.json")
    if run.exists():
        run.header()  # refuses what a newer version wrote
    with hold_lock(run.path / "lock", f"{run.path} is in use by another driver"):
        specs = [planned.spec for planned in suite.plan]
        tally = Tally()
        left = pending(run, specs)
        unfit = prepare(run, suite.plan, place.data) if left.units else {}
        skipped = {each.unit: unfit[each.unit] for each in left.units if each.unit in unfit}
        specs = [spec for spec in specs if spec.unit not in skipped]
        if len(left.units) > len(skipped):
            began = time.monotonic()
            display = Display(run, suite.plan, tally, console)
            engine = make_engine(run, suite.resources, place, tasks=distinct_tasks(specs))
            halt = Halt(
                run,
                console,
                stop_after_hours=place.stop_after_hours,
                device_hours=suite.total_device_hours,
            )
            try:
                # Not before: what is refused leaves a run as it was.
                _record(run, suite, skipped, console)
                with halt, display.show():  # after Ray, which handles signals of its own
                    work_through(run, specs, engine, tally, halted=halt, on_tick=display.tick)
            finally:
                engine.close()
            if halt.interrupted:
                raise KeyboardInterrupt
            if halt.reason:
                console.print(f"stopped early: {halt.reason}", highlight=False)
            console.print(f"worked for {duration(time.monotonic() - began)}", highlight=False)
        else:
            _record(run, suite, skipped, console)
            tally.failed |= left.damaged
            console.print("nothing left to run")
    return _summarise(run, suite, tally, console)


def prepare(run: RunDirectory, plan: Sequence[PlannedTrial], data: Path) -> dict[UnitId, str]:
    """Load every task and build every method on it, so that bad input shows before any trial.

    Workers then find the caches warm and never download at the same time. Returns the trials whose
    method is not for their task, and why; raises a UserError if there are no others.
    """
    reasons: dict[tuple[str, str], str | None] = {}  # of tasks and methods; None where they fit
    for planned in plan:
        spec = planned.spec
        task = load_task(spec.task, data)
        if spec.fold >= task.n_folds:
            raise UserError(
                f"[tasks.{planned.task}] has {task.n_folds} folds; the suite asks for fold "
                f"{spec.fold}"
            )
        with suppress(DamagedError):  # it stops its own trial alone
            for unit in involved(run, spec):
                check_data(task, kept_data(unit), unit.path)
        if (planned.task, planned.method) not in reasons:
            reasons[planned.task, planned.method] = _why_unfit(planned, data)
    if None not in reasons.values():
        raise UserError(_complaint(plan[0], reasons[plan[0].task, plan[0].method]))
    found = {planned.spec.unit: reasons[planned.task, planned.method] for planned in plan}
    return {unit: reason for unit, reason in found.items() if reason is not None}


def _why_unfit(planned: PlannedTrial, data: Path) -> str | None:
    """Why a method is not for a task; None where it is and can be built on it."""
    record = planned.spec.to_json()
    try:
        job = trial_job(record, data, device=torch.device("cpu"), meter=Ledger())
        job.setup.trunk()  # of which a search makes none before its first step
    except DoesNotFitError as error:
        return str(error)
    except UserError as error:
        raise UserError(_complaint(planned, error)) from error
    return None


def _complaint(planned: PlannedTrial, error: object) -> str:
    return f"{planned.method} on {planned.task}: {error}"


def check_device(place: Place) -> None:
    """Raise a UserError for a device that the engine has not, or that is not there."""
    if place.device not in ("cpu", "cuda"):
        raise UserError(f"--device {place.device}: known: cpu, cuda")
    if place.device == "cuda" and place.engine == "ray":
        raise UserError(
            "--device is for the inline engine; Ray hands out GPUs by --set resources.gpus=1"
        )
    if place.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: torch finds no GPU on this machine; leave the option out")


def open_directory(path: Path, header: str) -> RunDirectory:
    """A directory that can be written to; a new one where there is none.

    Raises a UserError if it cannot be, or holds files but not the one that says what it is.
    """
    try:
        if (
            not (path / header).exists()
            and path.is_dir()
            and any(e.name != "lock" and e.name[0] != "." for e in path.iterdir())
        ):
            raise UserError(
                f"{path} holds files but no {header}: choose an empty folder with --out"
            )
        path.mkdir(parents=True, exist_ok=True)
        with (path / "lock").open("a"):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to run directory {path}: {error.strerror}; choose another with --out"
        ) from None
    return RunDirectory(path)


def _record(run: RunDirectory, suite: Suite, skipped: dict[UnitId, str], console: Console) -> None:
    """Keep the resolved suite, and what of it is skipped."""
    _record_suite(run, suite, console)
    if skipped or run.skipped_file.exists():
        write_json(run.skipped_file, {unit.digest: reason for unit, reason in skipped.items()})


def _record_suite(run: RunDirectory, suite: Suite, console: Console) -> None:
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


def make_engine(
    run: RunDirectory,
    resources: Resources,
    place: Place,
    *,
    tasks: Sequence[tuple[str, TaskSpec]] = (),  # whose data every node of a cluster must have
    score_test: bool = True,
) -> Engine:
    """What does the units of a run directory."""
    gpus = resources.gpus
    host = Host(
        data=place.data.resolve(),
        device=place.device if place.engine == "inline" else "cuda" if gpus else "cpu",
        threads=max(1, int(resources.cpus)),
        shared=0 < gpus < 1,
        score_test=score_test,
    )
    if place.engine == "inline":
        return InlineEngine(run, host)
    from bench.engines.ray import RayEngine  # needs Ray, which the inline engine does not

    return RayEngine(
        run, host, resources, address=place.address, ship_code=place.ship_code, tasks=tasks
    )


def interrupt(number: int, frame: FrameType | None) -> None:
    """A polite kill is a Ctrl-C; a second one is not waited for."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise KeyboardInterrupt


def _summarise(run: RunDirectory, suite: Suite, tally: Tally, console: Console) -> bool:
    """Say what is there, what is missing and why; True when nothing is missing."""
    every = read_trials(run, suite.plan)
    trials = [trial for trial in every if trial["state"] != "skipped"]
    missing = [
        trial
        for trial in trials
        if trial["state"] not in ("done", "over budget") or not trial["points_known"]
    ]
    lines = [
        f"{len(trials) - len(missing)} of {len(trials)} trials done in {run.path}",
        *skip_lines(every),
    ]
    wasted = sum(trial["wasted_seconds"] for trial in trials)
    if wasted:
        lines.append(f"{duration(wasted)} of work were lost to crashes and done again")
    for trial in missing:
        label = f"{trial['task']} · {trial['method']} · fold {trial['fold']} · seed {trial['seed']}"
        reason = f" ({trial['reason']})" if trial["reason"] else ""
        lines.append(f"  missing: {label}: {trial['state']}{reason}")
    # A unit that could not even write down why it failed has told the driver.
    told = [trial["reason"] for trial in missing if trial["reason"]]
    lines += [
        f"  failed: {unit}: {reason}"
        for unit, reason in tally.failed.items()
        if not any(each in reason for each in told)
    ]
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

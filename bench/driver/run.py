"""Runs a suite into a run directory: checks it, does what is left, says what is missing."""

import time

import torch
from rich.console import Console

from augbench.bench.driver.backlog import pending
from augbench.bench.driver.display import Display, duration
from augbench.bench.driver.halt import Halt
from augbench.bench.driver.plugins import keep_plugins
from augbench.bench.driver.prepare import Prepared, prepare
from augbench.bench.driver.run_options import (
    RunOptions,
    check_run_options,
    make_engine,
    open_directory,
)
from augbench.bench.driver.schedule import Tally, work_through
from augbench.bench.engines.preflight import distinct_tasks
from augbench.bench.plan.spec import UnitId
from augbench.bench.plan.suite import Suite
from augbench.bench.store.damage import set_damaged_models_aside
from augbench.bench.store.driver_lock import LOOK_SECONDS
from augbench.bench.store.files import append_line, hold_lock, write_json
from augbench.bench.store.provenance import provenance
from augbench.bench.store.run_directory import SCHEMA, RunDirectory
from augbench.bench.store.states import read_trials, skip_lines
from augbench.bench.terminal import print_line
from augbench.datasets.errors import counted


def run_suite(suite: Suite, options: RunOptions, console: Console) -> bool:
    """Do what is left of a suite; True when everything that was planned is done.

    Raises a UserError for bad input, if possible before any trial begins.
    """
    check_run_options(options)
    torch.set_num_threads(max(1, int(suite.resources.cpus)))  # here, inline too
    run = open_directory(options.out, "run.json")
    if run.exists():
        run.header()  # refuses a directory of another version
    busy = f"{run.path} is in use by another driver"
    # It waits for those who look whether there is a driver: they hold the lock for a moment.
    with hold_lock(run.path / "lock", busy, wait_seconds=LOOK_SECONDS):
        set_damaged_models_aside(run)
        failed = set() if options.retry_failed else _failed(run, suite)
        specs = [planned.spec for planned in suite.plan if planned.spec.unit not in failed]
        tally = Tally()
        left = pending(run, specs)
        for damage in left.damaged.values():
            print_line(console, damage)
        open_trials = {each.unit for each in left.units} | set(left.requested_by.values())
        if left.units:
            print_line(console, "loading the tasks ...")  # which can take minutes
        prepared = (
            prepare(run, suite.plan, options.data, open_trials) if left.units else Prepared({}, {})
        )
        unfit, splits = prepared.skipped, prepared.splits
        for label, sentence in splits.items():
            print_line(console, f"{label}: {sentence}")
        skipped = {each.unit: unfit[each.unit] for each in left.units if each.unit in unfit}
        specs = [spec for spec in specs if spec.unit not in skipped]
        if len(left.units) > len(skipped):
            began = time.monotonic()
            display = Display(run, suite.plan, tally, console)
            engine = make_engine(run, suite.resources, options, tasks=distinct_tasks(specs))
            halt = Halt(run, console, options.stop_after_hours, suite.total_device_hours)
            try:
                # Only now: input that is refused leaves a run as it was.
                _record(run, suite, skipped, splits, console)
                keep_plugins(run, suite.plan, prepared.transforms, console)
                with halt, display.show():  # after Ray has started, which sets signal handlers too
                    work_through(run, specs, engine, tally, halted=halt, on_tick=display.tick)
            finally:
                engine.close()
            halt.conclude()
            print_line(console, f"worked for {duration(time.monotonic() - began)}")
        else:
            _record(run, suite, skipped, splits, console)
            print_line(console, "nothing left to run")
        if failed:
            print_line(
                console,
                f"not tried again: {counted(len(failed), 'trial')} that failed before; to try "
                "again, leave out --leave-failed",
            )
    return _summarise(run, suite, tally, console)


def _failed(run: RunDirectory, suite: Suite) -> set[UnitId]:
    """The trials that failed, or had a retraining that failed."""
    states = {trial["trial"]: trial["state"] for trial in read_trials(run, suite.plan)}
    units = (planned.spec.unit for planned in suite.plan)
    return {unit for unit in units if states[unit.digest] == "failed"}


def _record(
    run: RunDirectory,
    suite: Suite,
    skipped: dict[UnitId, str],
    splits: dict[str, str],
    console: Console,
) -> None:
    """Write the resolved suite, which trials are skipped, and how the tasks are split."""
    _record_suite(run, suite, console)
    labels = {planned.task for planned in suite.plan}
    kept = {label: sentence for label, sentence in run.splits().items() if label in labels}
    if splits or kept:
        write_json(run.splits_file, {**kept, **splits})
    if skipped or run.skipped_file.exists():
        write_json(run.skipped_file, {unit.digest: reason for unit, reason in skipped.items()})


def _record_suite(run: RunDirectory, suite: Suite, console: Console) -> None:
    """Write the resolved suite. A changed suite adds to the run, and the change is recorded."""
    former = run.header()["suite"] if run.exists() else None
    if former is not None and {**former, "resources": 0} == {**suite.resolved, "resources": 0}:
        if not run.events_file.exists():  # a driver was killed before it wrote this file
            run.events_file.touch()
        return
    event = "created" if former is None else "suite changed"
    record = {"schema": SCHEMA, "name": suite.name, "suite": suite.resolved}
    write_json(run.header_file, record)
    details = {"former": former, **provenance(torch.device("cpu"))}
    append_line(run.events_file, {"time": time.time(), "event": event, **details})
    planned = {trial.spec.unit.digest for trial in suite.plan}
    out_of_view = [each for each in run.path.glob("trials/*") if each.name not in planned]
    if out_of_view:
        print_line(
            console,
            f"the suite has changed: status and report do not show "
            f"{counted(len(out_of_view), 'trial')} of the earlier suite in {run.path}",
        )


def _summarise(run: RunDirectory, suite: Suite, tally: Tally, console: Console) -> bool:
    """Print what is done, what is missing and why; True when nothing is missing."""
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
    if wasted >= 0.05:
        lost = f"{wasted:.1f} s" if wasted < 10 else duration(wasted)
        lines.append(f"{lost} of work were wasted, and charged to no method")
    for trial in missing:
        label = f"{trial['task']} · {trial['method']} · fold {trial['fold']} · seed {trial['seed']}"
        reason = f" ({trial['reason']})" if trial["reason"] else ""
        lines.append(f"  missing: {label}: {trial['state']}{reason}")
    # A unit may have failed without writing its reason down; then only the driver knows it.
    told = [trial["reason"] for trial in missing if trial["reason"]]
    lines += [
        f"  failed: {unit}: {reason}"
        for unit, reason in tally.failed.items()
        if not any(each in reason for each in told)
    ]
    states = {trial["state"] for trial in missing}
    if "diverged" in states:
        lines.append("diverged trials are not tried again: lower their learning rate in the suite")
    if "over budget" in states:
        lines.append("a budget ended before the first point: raise it in the suite")
    if tally.failed:
        lines.append("mend what is named above and run the same command again: it resumes the run")
    for line in lines:
        print_line(console, line)
    return not missing

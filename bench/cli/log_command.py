"""The command that shows a run in TensorBoard, MLflow or Weights & Biases."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import RunPath, starts_with
from augbench.datasets.errors import UserError, counted

PATIENCE_SECONDS = 60.0  # for the sink of a driver that was killed, which writes its last
NICE = 10  # a sink leaves the processors to the trials, whose hours are counted


def sink_names() -> list[str]:
    """The sinks that there are."""
    from augbench.bench.sinks import SINKS

    return list(SINKS)


def log(
    run: RunPath,
    to: Annotated[
        str,
        typer.Option(help="tensorboard, mlflow or wandb.", autocompletion=starts_with(sink_names)),
    ],
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the run is over.")] = False,
    seconds: Annotated[float, typer.Option(help="Between two looks.", min=0.2)] = 5.0,
    location: Annotated[
        str | None,
        typer.Option(
            help="A folder, or the address of MLflow's server.  [default: in RUN/logs; "
            "MLFLOW_TRACKING_URI]"
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(help="The experiment of MLflow, or the project of W&B.")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="W&B: send it to the server.")] = False,
    until_input_ends: Annotated[
        bool, typer.Option("--until-input-ends", hidden=True, help="Of augbench run --log.")
    ] = False,
) -> None:
    """Show a run in TensorBoard, MLflow or Weights & Biases, while it runs or afterwards.

    \b
    augbench log runs/quickstart --to tensorboard
    augbench log runs/quickstart --to mlflow --follow

    The same command again adds only what is new. W&B stays offline unless --online or WANDB_MODE
    says otherwise.
    """
    from augbench.bench.cli.resuming import say_how_to_resume
    from augbench.bench.search.search import holds_search
    from augbench.bench.sinks.replay import replay
    from augbench.bench.sinks.sink import Destination
    from augbench.bench.store.run_directory import RunDirectory

    _check(to, project, online)
    if holds_search(run):
        raise UserError(
            f"{run} is a search; only runs can be logged: run the suite with what it found"
        )
    is_over, wait = _ending(run, follow)
    if until_input_ends:
        os.nice(NICE)
        is_over, wait = _until_input_ends()
        while not RunDirectory(run).exists():  # the driver makes it when all input is checked
            if is_over():
                return
            wait(seconds)
    name = str(RunDirectory(run).header().get("name", run.name))
    destination = Destination(run, name, location, project, online)
    with say_how_to_resume("adds what is missing"):
        told = replay(
            to,
            destination,
            is_over=is_over,
            wait=wait,
            seconds=seconds,
            patience_seconds=PATIENCE_SECONDS if until_input_ends else 0.0,
        )
    kept = f" ({told.n_up_to_date} up to date before)" if told.n_up_to_date else ""
    print(
        f"{to}: {counted(len(told.trials), 'trial')} written, "
        f"{counted(told.n_points, 'point')}{kept}; "
        f"to see them: {told.to_see}"
    )


def _check(to: str, project: str | None, online: bool) -> None:
    from augbench.bench.sinks.replay import check_installed

    if online and to != "wandb":
        raise UserError(f"--online is for --to wandb; leave it out with --to {to}")
    if project is not None and to == "tensorboard":
        raise UserError("--project is for --to mlflow and --to wandb; leave it out")
    check_installed(to)


def _ending(run: Path, follow: bool) -> tuple[Callable[[], bool], Callable[[float], object]]:
    """When the replay is over, and how to wait: at once, or when nobody works on the run."""
    if not follow:
        return lambda: True, time.sleep
    from augbench.bench.store.driver_lock import has_driver
    from augbench.bench.store.open_run import open_run
    from augbench.bench.store.states import read_trials

    def is_over() -> bool:
        if has_driver(run):
            return False
        directory, suite = open_run(run)
        return all(trial["state"] != "running" for trial in read_trials(directory, suite.plan))

    return is_over, time.sleep


def _until_input_ends() -> tuple[Callable[[], bool], Callable[[float], object]]:
    ended = threading.Event()

    def read() -> None:
        while sys.stdin.buffer.read(1):
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    return ended.is_set, ended.wait

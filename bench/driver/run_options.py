"""Where a suite runs: its directory, the data, the engine; checked, and made ready."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import get_args

from augbench.bench.engines.engine import Engine, EngineName
from augbench.bench.engines.inline import InlineEngine
from augbench.bench.plan.spec import TaskSpec
from augbench.bench.plan.tables import Resources
from augbench.bench.store.run_directory import RunDirectory
from augbench.bench.unit.device import check_device
from augbench.bench.unit.host import Host
from augbench.datasets.errors import UserError, unknown


@dataclass(frozen=True)
class RunOptions:
    """Where and how a suite runs. No part of what a trial is: it changes no result."""

    out: Path
    data: Path
    engine: EngineName = "ray"
    address: str | None = None  # of a Ray cluster; None or "local": start one on this machine
    stop_after_hours: float | None = None  # by the wall clock
    ship_code: bool = False  # send the driver's code to the nodes of the cluster
    device: str = "cpu"
    retry_failed: bool = True  # try trials again that failed in an earlier run


def check_run_options(options: RunOptions) -> None:
    """Raise a UserError for an option that the engine does not take, or a missing device."""
    hours = options.stop_after_hours
    if hours is not None and not 0 < hours < inf:
        raise UserError(f"--stop-after is {hours:g}; it has to be above 0 hours")
    if options.engine not in get_args(EngineName):
        raise unknown("engine", options.engine, get_args(EngineName))
    if options.engine == "inline" and (options.address or options.ship_code):
        word = "--address" if options.address else "--ship-code"
        raise UserError(f"{word} is for --engine ray: leave out {word} or --engine inline")
    if options.device == "cuda" and options.engine == "ray":
        raise UserError(
            "--device is for --engine inline; with Ray ask for GPUs by --set resources.gpus=1"
        )
    check_device(options.device)


def open_directory(path: Path, header: str) -> RunDirectory:
    """Make a directory, or check that an old one can be written to.

    Raises a UserError if it cannot be written to, or holds files but not its ``header`` file.
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
        with (path / "lock").open("a", encoding="utf-8"):
            pass
    except OSError as error:
        raise UserError(
            f"cannot write to run directory {path}: {error.strerror}; choose another with --out"
        ) from None
    return RunDirectory(path)


def make_engine(
    run: RunDirectory,
    resources: Resources,
    options: RunOptions,
    *,
    tasks: Sequence[tuple[str, TaskSpec]] = (),  # whose data every node of a cluster must have
    score_test: bool = True,
) -> Engine:
    """The engine that does the units of a run directory."""
    gpus = resources.gpus
    host = Host(
        data=options.data.resolve(),
        device=options.device if options.engine == "inline" else "cuda" if gpus else "cpu",
        threads=max(1, int(resources.cpus)),
        shared=0 < gpus < 1,
        score_test=score_test,
        hands_out=options.engine == "ray" and resources.workers > 1,
    )
    if options.engine == "inline":
        return InlineEngine(run, host)
    from augbench.bench.engines.ray import RayEngine  # needs Ray, which the inline engine does not

    address = None if options.address == "local" else options.address
    return RayEngine(
        run, host, resources, address=address, ship_code=options.ship_code, tasks=tasks
    )

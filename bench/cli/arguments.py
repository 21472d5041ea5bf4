"""Arguments and options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.engines.engine import EngineName
from augbench.datasets.errors import UserError


def starts_with(names: Callable[[], list[str]]) -> Callable[[str], list[str]]:
    """Completes a word in a shell from a list of names."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


def suite_names() -> list[str]:
    """The suites that come with augbench."""
    from augbench.bench.plan.suite import shipped_suites

    return list(shipped_suites())


def task_names() -> list[str]:
    """The tasks that are installed."""
    from augbench.datasets import known_tasks

    return list(known_tasks())


def method_names() -> list[str]:
    """The methods that are installed."""
    from augbench.methods import known_methods

    return list(known_methods())


SuitePath = Annotated[
    Path,
    typer.Argument(
        help="A suite file, or the name of a suite that comes with augbench.",
        autocompletion=starts_with(suite_names),
    ),
]
TaskName = Annotated[
    str, typer.Argument(help="The name of a task.", autocompletion=starts_with(task_names))
]
OneTask = Annotated[
    str | None,
    typer.Argument(help="Show only this one, in full.", autocompletion=starts_with(task_names)),
]
OneMethod = Annotated[
    str | None,
    typer.Argument(help="Show only this one, in full.", autocompletion=starts_with(method_names)),
]
OneSuite = Annotated[
    str | None,
    typer.Argument(help="Print the file of this one.", autocompletion=starts_with(suite_names)),
]
RunPath = Annotated[Path, typer.Argument(help="A run directory.")]
Overrides = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Change a value of the suite, as in TOML. Repeatable."
    ),
]
Fragments = Annotated[
    list[Path],
    typer.Option(
        "--with", metavar="FILE", help="TOML tables that replace the suite's. Repeatable."
    ),
]
Out = Annotated[Path | None, typer.Option(help="The run directory.  [default: runs/NAME]")]
Data = Annotated[Path, typer.Option(envvar="AUGBENCH_DATA", help="The folder of the data sets.")]
Engine = Annotated[
    EngineName,
    typer.Option(
        "--engine", help="Where units (trials and retrainings) run: over Ray, or in this process."
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(help="How many units run at the same time.  [default: resources.workers]"),
]
Address = Annotated[
    str | None,
    typer.Option(help="Join a running Ray cluster: HOST:PORT, or auto.  [default: none]"),
]
ShipCode = Annotated[
    bool, typer.Option("--ship-code", help="Send this augbench to the nodes of the cluster.")
]
StopAfter = Annotated[
    float | None,
    typer.Option(help="Stop after so many hours, in the same way as after one Ctrl-C."),
]
Device = Annotated[str, typer.Option(help="The device for --engine inline: cpu or cuda.")]
LogTo = Annotated[
    list[str],
    typer.Option(
        "--log",
        metavar="SINK",
        help="Show the run meanwhile in tensorboard, mlflow or wandb (offline). Repeatable.",
    ),
]


def with_workers(
    overrides: list[str], workers: int | None, engine: EngineName = "ray"
) -> list[str]:
    """The overrides of a suite with --workers, if given, as the last one.

    Raises a UserError for more than one worker in this process.
    """
    if workers is None:
        return overrides
    if engine == "inline" and workers > 1:
        raise UserError(
            f"--workers {workers} is for --engine ray: --engine inline does one unit after the "
            "other; leave out one of the two"
        )
    return [*overrides, f"resources.workers={workers}"]

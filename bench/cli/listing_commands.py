"""The commands that list what a suite can name."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from augbench.bench.cli.arguments import OneMethod, OneSuite, OneTask
from augbench.datasets.errors import unknown


def methods(name: OneMethod = None) -> None:
    """List the methods, or show one with its options.

    \b
    augbench methods
    augbench methods augnet
    """
    from rich.console import Console

    from augbench.bench.cli.listings import method_page, method_table
    from augbench.methods import known_methods

    known = known_methods()
    if name is not None and name not in known:
        raise unknown("method", name, known)
    if name is None:
        _print_rows(method_table(known.usable()), known.faults())
    else:
        Console().print(method_page(known[name]))


def tasks(name: OneTask = None) -> None:
    """List the tasks, or show one with its options and the training settings.

    \b
    augbench tasks
    augbench tasks ssvep
    """
    from rich.console import Console

    from augbench.bench.cli.listings import task_page, task_table
    from augbench.datasets import known_tasks

    known = known_tasks()
    if name is not None and name not in known:
        raise unknown("task", name, known)
    if name is None:
        _print_rows(task_table(known.usable()), known.faults())
    else:
        Console().print(task_page(known[name]))


def trunks() -> None:
    """List the trunks: the networks that learn the tasks."""
    from rich.console import Console

    from augbench.bench.cli.listings import trunk_table
    from augbench.datasets.trunks import TRUNKS

    Console().print(trunk_table(TRUNKS))


def transforms(
    rate: Annotated[float, typer.Option(help="Sampling rate of the EEG, in hertz.")] = 100.0,
    seconds: Annotated[float, typer.Option(help="Length of an EEG window.")] = 30.0,
    size: Annotated[int, typer.Option(help="Side of an image, in pixels.")] = 32,
    imported: Annotated[
        bool, typer.Option("--imported", help="Those of kornia and braindecode instead.")
    ] = False,
) -> None:
    """List the transforms: what magnitude 1 means and the kind of gradient.

    Some strengths depend on the signal: by default EEG of 30 s at 100 Hz, images of 32 x 32.
    --imported lists what a name alone means in kornia and braindecode. Any other of their
    augmentations can be used too: docs/suites.md says how.
    """
    from augbench.bench.cli.listings import imported_table, transform_table
    from augbench.datasets.task import Signal
    from augbench.methods.transforms.bank import every_transform, transform_faults
    from augbench.methods.transforms.imported.build import usual_transforms

    if imported:
        _print_rows(imported_table(usual_transforms()), {})
        return
    channels = ("Fz", "C3", "Cz", "C4", "Pz", "Oz")
    eeg = Signal("eeg", (len(channels), round(rate * seconds)), channels, rate)
    signals = [eeg, Signal("image", (3, size, size))]
    _print_rows(transform_table(every_transform(signals)), transform_faults(signals))


def suites(name: OneSuite = None) -> None:
    """List the suites that come with augbench, or print the file of one as a start for your own.

    \b
    augbench suites
    augbench suites quickstart > my.toml
    """
    from rich.console import Console

    from augbench.bench.cli.listings import suite_table
    from augbench.bench.plan.suite import shipped_suites

    shipped = shipped_suites()
    if name is None:
        Console().print(suite_table(shipped))
        return
    if name not in shipped:
        raise unknown("suite", name, shipped)
    print(shipped[name].read_text(encoding="utf-8"), end="")


def _print_rows(table: Any, faults: Mapping[str, str]) -> None:
    """Print a table of rows, and a sentence for each row of a package that cannot be used."""
    from rich.console import Console

    from augbench.bench.terminal import as_text

    console = Console()
    console.print(table)
    for fault in faults.values():
        console.print(as_text(f"not used: {fault}"))  # it wraps, as the table does


COMMANDS = (methods, tasks, transforms, trunks, suites)

"""The command that shows what a suite would run, how its data are split, and what it would cost."""

import os
from pathlib import Path
from typing import Annotated

import typer

from augbench.bench.cli.arguments import Fragments, Out, Overrides, SuitePath
from augbench.bench.plan.spec import UnitId
from augbench.datasets.errors import UserError


def plan(
    suite: SuitePath,
    out: Out = None,
    overrides: Overrides = [],  # noqa: B006 typer copies it
    fragments: Fragments = [],  # noqa: B006
    data: Annotated[
        Path | None, typer.Option(help="Load the data from here, and say how they are split.")
    ] = None,
    hours: Annotated[
        bool,
        typer.Option("--hours", help="Measure steps here; say how many device hours it takes."),
    ] = False,
    device: Annotated[
        str | None, typer.Option(help="With --hours: cpu or cuda.  [default: cpu]")
    ] = None,
) -> None:
    """Show the trials of a suite, and which of them are done.

    \b
    augbench plan quickstart
    augbench plan my.toml --set folds=3 --data data
    augbench plan fig7_paper --hours --device cuda --data data

    --hours takes some ten seconds for each method on each task. It needs the data: without --data
    it looks where `augbench run` does.
    """
    from augbench.bench.cli.trial_tables import plan_text
    from augbench.bench.plan.suite import find_suite, load_suite
    from augbench.bench.printable import printable
    from augbench.bench.store.run_directory import RunDirectory
    from augbench.bench.store.states import is_damaged, read_trials, skip_lines

    read = load_suite(find_suite(suite), overrides, fragments)
    _check_device(device, hours=hours)
    directory = RunDirectory(out or Path("runs") / read.name)
    if directory.exists():
        directory.header()  # refuses a directory of another version
    trials = read_trials(directory, read.plan)
    splits: dict[str, str] = {}
    skipped: dict[UnitId, str] = {}
    folder = data or (usual_data() if hours else None)
    if folder is not None:
        from augbench.bench.driver.prepare import prepare

        prepared = prepare(directory, read.plan, folder)
        skipped, splits = prepared.skipped, prepared.splits
        reasons = {unit.digest: reason for unit, reason in skipped.items()}
        for trial in trials:
            if trial["state"] == "waiting" and trial["trial"] in reasons:
                trial |= {"state": "skipped", "reason": reasons[trial["trial"]]}
    print(plan_text(read.name, trials))
    for line in [*skip_lines(trials), *(f"{task}: {split}" for task, split in splits.items())]:
        print(printable(line))
    if hours and folder is not None:
        from augbench.bench.cli.hours_table import show_hours

        show_hours(read, skipped, folder, device or "cpu")
    raise typer.Exit(1 if is_damaged(trials) else 0)


def _check_device(device: str | None, *, hours: bool) -> None:
    if hours:
        from augbench.bench.unit.device import check_device

        check_device(device or "cpu")
    elif device is not None:
        raise UserError("--device is for --hours: add --hours or leave out --device")


def usual_data() -> Path:
    """Where `augbench run` looks without --data."""
    return Path(os.environ.get("AUGBENCH_DATA") or "data")

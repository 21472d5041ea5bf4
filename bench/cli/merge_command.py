"""The command that merges runs."""

from pathlib import Path
from typing import Annotated

import typer


def merge(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, two or more.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The new run directory.")],
) -> None:
    """Merge runs into a new one: folds from several machines, or methods that came later.

    The runs have to be of the same data, and to mean the same by the same labels. They stay as they
    are.

    \b
    augbench merge runs/folds-a runs/folds-b -o runs/all
    """
    from rich.console import Console

    from augbench.bench.cli.trial_tables import state_counts
    from augbench.bench.merge.merge import merge_runs
    from augbench.bench.merge.write import SUITE_FILE
    from augbench.bench.store.states import read_trials
    from augbench.bench.terminal import print_line

    console = Console()
    merged = merge_runs(runs, out)
    for note in merged.notes:
        print_line(console, note)
    trials = read_trials(merged.run, merged.suite.plan)
    print_line(console, f"{out}: {state_counts(trials)}")
    if any(trial["state"] in ("waiting", "failed") for trial in trials):
        print_line(console, f"do the rest: augbench run {out / SUITE_FILE} --out {out}")
